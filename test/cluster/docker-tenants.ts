import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import Dockerode from 'dockerode';
import { inject } from 'vitest';

/** What the engine really holds, as `docker ps` would show it; the tests' own view, apart from the provider's. */
export interface EngineView {
  readonly docker: Dockerode;
  /** All containers of the tenant's namespace, in whatever state. */
  containers(namespace: string, tenant?: string): Promise<Dockerode.ContainerInfo[]>;
  /** Everything that bears the namespace's mark: containers, networks, volumes. */
  leftovers(namespace: string, tenant?: string): Promise<string[]>;
  pull(image: string): Promise<void>;
  /** Removes all that bears the namespace's mark: for the end of tests, however they ended. */
  clear(namespace: string): Promise<void>;
  /** From now on, what happens to the containers of a tenant, or of all, in its order, by the engine's own word and clock. */
  follow(namespace: string, tenant?: string): Promise<FollowedEvents>;
}

export interface ContainerEvent {
  readonly id: string;
  /** `create`, `start`, `health_status: healthy`, … */
  readonly action: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface FollowedEvents {
  readonly events: readonly ContainerEvent[];
  stop(): void;
}

interface EngineEventLine {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string };
  readonly timeNano: number;
}

export function engineView(host: string = inject('dockerHost')): EngineView {
  const docker = new Dockerode({ socketPath: host.replace(/^unix:\/\//, '') });
  const labels = (namespace: string, tenant?: string) => [
    `landlord.tenant_namespace=${namespace}`,
    ...(tenant === undefined ? [] : [`landlord.tenant_name=${tenant}`]),
  ];
  const containers: EngineView['containers'] = (namespace, tenant) =>
    docker.listContainers({ all: true, filters: { label: labels(namespace, tenant) } });
  const filters = (namespace: string, tenant?: string) =>
    JSON.stringify({ label: labels(namespace, tenant) });
  return {
    docker,
    containers,
    async pull(image) {
      const progress = (await docker.pull(image)) as Readable;
      await new Promise<void>((resolve, reject) =>
        docker.modem.followProgress(progress, (error) => (error === null ? resolve() : reject(error))),
      );
    },
    async clear(namespace) {
      for (const { Id } of await containers(namespace))
        await docker.getContainer(Id).remove({ force: true, v: true });
      for (const { Id } of await docker.listNetworks({ filters: filters(namespace) }))
        await docker.getNetwork(Id).remove();
      const { Volumes } = await docker.listVolumes({ filters: filters(namespace) });
      for (const { Name } of Volumes ?? []) await docker.getVolume(Name).remove();
    },
    async follow(namespace, tenant) {
      const stream = (await docker.getEvents({ filters: filters(namespace, tenant) })) as Readable;
      const events: ContainerEvent[] = [];
      createInterface({ input: stream }).on('line', (line) => {
        const { Type, Action, Actor, timeNano } = JSON.parse(line) as EngineEventLine;
        if (Type === 'container') events.push({ id: Actor.ID, action: Action, at: timeNano / 1e6 });
      });
      return { events, stop: () => stream.destroy() };
    },
    async leftovers(namespace, tenant) {
      const networks = await docker.listNetworks({ filters: filters(namespace, tenant) });
      const { Volumes } = await docker.listVolumes({ filters: filters(namespace, tenant) });
      return [
        ...(await containers(namespace, tenant)).map(({ Names }) => `container ${Names.join()}`),
        ...networks.map(({ Name }) => `network ${Name}`),
        ...(Volumes ?? []).map(({ Name }) => `volume ${Name}`),
      ];
    },
  };
}

/** The operator's docker block for the tests' engine. */
export function dockerBlock(image: string): Record<string, unknown> {
  return { ...inject('engineBlock'), image };
}
