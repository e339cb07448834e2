import type Dockerode from 'dockerode';

/** What both engines that are modelled in memory keep of a container, and tell in the same words. */
export interface ToldContainer {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly exitCode: number;
  readonly error: string;
  readonly restartCount: number;
  /** Milliseconds since the epoch, by our clock; 0: never. */
  readonly createdMs: number;
  readonly startedMs: number;
  readonly finishedMs: number;
  readonly health?: string | undefined;
}

/** Of an inspect, all that its container's own course decides. `skewMs`: by how much the engine's clock is ahead of ours. */
export function inspectedCourse(container: ToldContainer, skewMs = 0) {
  const { id, name, state, health } = container;
  const instant = (ms: number): string =>
    ms === 0 ? '0001-01-01T00:00:00Z' : new Date(ms + skewMs).toISOString();
  return {
    Id: id,
    Name: `/${name}`,
    Created: instant(container.createdMs),
    RestartCount: container.restartCount,
    State: {
      Status: state,
      ExitCode: state === 'running' ? 0 : container.exitCode,
      OOMKilled: false,
      Error: container.error,
      StartedAt: instant(container.startedMs),
      FinishedAt: instant(container.finishedMs),
      ...(health === undefined ? {} : { Health: { Status: health, FailingStreak: 0, Log: [] } }),
    },
  };
}

/** A container's place in each network, by the network's name. An address only while it is up. */
export type Endpoints = Map<string, { readonly aliases: readonly string[]; address: string }>;

/** Those that it is made with: in the network of its mode, under the aliases of its body. */
export function firstEndpoints({
  HostConfig,
  NetworkingConfig,
}: Dockerode.ContainerCreateOptions): Endpoints {
  const network = HostConfig?.NetworkMode ?? 'bridge';
  if (network === 'host' || network.startsWith('container:')) return new Map();
  const aliases = NetworkingConfig?.EndpointsConfig?.[network]?.Aliases ?? [];
  return new Map([[network, { aliases, address: '' }]]);
}

/** As an inspect tells of them; a list knows no aliases. The engine adds the short id by itself. `idOf`: of networks, by name. */
export function networkSettings(
  id: string,
  endpoints: Endpoints,
  {
    as,
    idOf,
  }: { readonly as: 'listed' | 'inspected'; readonly idOf: (network: string) => string | undefined },
) {
  const Networks = Object.fromEntries(
    [...endpoints].map(([network, { aliases, address }]) => [
      network,
      {
        NetworkID: idOf(network) ?? '',
        IPAddress: address,
        Aliases: as === 'listed' ? null : [...aliases, id.slice(0, 12)],
      },
    ]),
  );
  return { Networks };
}

/** The lowest that is free, as the engine gives them. The gateway has the first. */
export function freeAddress(network: string, others: Iterable<Endpoints>): string {
  const taken = new Set([...others].map((endpoints) => endpoints.get(network)?.address));
  let last = 2;
  while (taken.has(`10.0.0.${last}`)) last += 1;
  return `10.0.0.${last}`;
}

/** Mounts of named volumes, as the engine lists them. */
export function bindMounts({ Binds, Mounts }: Dockerode.HostConfig) {
  const bound = (Binds ?? []).map((bind) => {
    const [Name = '', Destination = '', mode] = bind.split(':');
    return { Type: 'volume', Name, Source: Name, Destination, RW: mode?.split(',').includes('ro') !== true };
  });
  const parts = (Mounts ?? [])
    .filter(({ Type }) => Type === 'volume')
    .map(({ Source: Name, Target: Destination, ReadOnly }) => {
      return { Type: 'volume', Name, Source: Name, Destination, RW: ReadOnly !== true };
    });
  return [...bound, ...parts];
}

/** A published port, as a list tells of it. */
export interface ToldPort {
  readonly IP: string;
  readonly PrivatePort: number;
  readonly PublicPort: number;
  readonly Type: string;
}

/** The same ports as an inspect tells of them. */
export function inspectedPorts(ports: readonly ToldPort[]) {
  const byPort = Map.groupBy(ports, ({ PrivatePort, Type }) => `${PrivatePort}/${Type}`);
  return Object.fromEntries(
    [...byPort].map(([port, hosts]) => [
      port,
      hosts.map(({ IP, PublicPort }) => ({ HostIp: IP, HostPort: `${PublicPort}` })),
    ]),
  );
}
