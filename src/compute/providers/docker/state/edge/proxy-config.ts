/** What the proxy is told: HAProxy's own words. It is the same one over any rollout of what is behind it. Pure. */

export interface Backend {
  /** By which the engine's DNS knows what serves. A successor bears it once the old one has given it up. */
  readonly host: string;
  readonly containerPort: number;
  /** The proxy listens on the same number. */
  readonly hostPort: number;
  readonly mode: 'TCP' | 'HTTP';
}

/** Connections at once; see the memory of the proxy's container. */
const maxConnections = 4_000;

/**
 * The engine's DNS is asked every half second, and a new answer leads new connections elsewhere; those that are open stay where they
 * are. While it has no answer (between two renames, while the engine is down) the last one holds, for 20 days: what it led to may well
 * run. A connection that is refused is tried again for 10 seconds, as where a container was restarted at another address.
 * For HTTP, each request has a connection of its own to the container, so that none is sent on one that is about to close.
 * A connection that nobody uses is left open for a week, as it would be without a proxy; the kernel asks whether the other end is
 * there.
 */
export function proxyConfig(backends: readonly Backend[]): string {
  return `${[
    'global',
    `  maxconn ${maxConnections}`,
    '  nbthread 1',
    'resolvers engine',
    '  nameserver engine 127.0.0.11:53',
    '  timeout resolve 500ms',
    '  timeout retry 500ms',
    '  hold valid 500ms',
    ...['nx', 'other', 'refused', 'timeout'].map((word) => `  hold ${word} 20d`),
    'defaults',
    '  mode tcp',
    '  option clitcpka',
    '  option srvtcpka',
    '  retries 10',
    '  option redispatch 1',
    '  timeout connect 1s',
    '  timeout client 7d',
    '  timeout server 7d',
    ...backends.flatMap(({ host, containerPort, hostPort, mode }) => [
      `listen port-${hostPort}`,
      `  bind *:${hostPort}`,
      ...(mode === 'HTTP' ? ['  mode http', '  option http-server-close', '  option forwardfor'] : []),
      `  server serving ${host}:${containerPort} resolvers engine resolve-prefer ipv4 init-addr none`,
    ]),
  ].join('\n')}\n`;
}
