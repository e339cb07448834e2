import type { FoundPort, ListedPort } from '../container-answers.ts';

/** Ports of a container as the engine tells of them. Pure. */

export interface PublishedPort {
  readonly address: string;
  readonly hostPort: number;
  readonly containerPort: number;
  /** tcp, udp or sctp. */
  readonly protocol: string;
}

/** In an order that does not depend on the engine's. */
export function listedPorts(ports: readonly ListedPort[] | null): readonly PublishedPort[] {
  return (ports ?? [])
    .filter(({ PublicPort }) => PublicPort > 0)
    .map(({ IP, PublicPort, PrivatePort, Type }) => ({
      address: IP,
      hostPort: PublicPort,
      containerPort: PrivatePort,
      protocol: Type,
    }))
    .toSorted(
      (a, b) =>
        a.containerPort - b.containerPort ||
        compareText(a.protocol, b.protocol) ||
        compareText(a.address, b.address),
    );
}

/** What an inspect tells of the ports that are published, as a list has it. */
export function portsAsListed(
  ports: Readonly<Record<string, readonly FoundPort[] | null>> | null | undefined,
): readonly ListedPort[] {
  return Object.entries(ports ?? {}).flatMap(([port, hosts]) => {
    const [PrivatePort, Type = 'tcp'] = port.split('/');
    return (hosts ?? []).map(({ HostIp = '', HostPort = '0' }) => ({
      IP: HostIp,
      PublicPort: Number(HostPort),
      PrivatePort: Number(PrivatePort),
      Type,
    }));
  });
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
