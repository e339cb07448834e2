import Dockerode from 'dockerode';

/** A client of the engine at `dockerHost`: unix:// or plain TCP, as in DOCKER_HOST. */
export function dockerAt(dockerHost: string): Dockerode {
  const { protocol, hostname, port, pathname } = new URL(dockerHost);
  if (protocol === 'unix:') return new Dockerode({ socketPath: pathname });
  return new Dockerode({ protocol: 'http', host: hostname, port: Number(port || '2375') });
}
