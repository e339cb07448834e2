import type Dockerode from 'dockerode';
import {
  bindMounts,
  inspectedCourse,
  inspectedPorts,
  networkSettings,
} from '../../compute/providers/docker/engine-answers.ts';
import type { ToldPort } from '../../compute/providers/docker/engine-answers.ts';
import type { Container } from './docker-container.ts';

/** The modelled engine's containers in the words of its API. */

/** The engine as far as a container is told of in its words. */
interface Teller {
  /** By how much its clock is ahead of ours. */
  readonly skewMs: number;
  readonly networks: ReadonlyMap<string, { readonly Id: string; readonly Name: string }>;
  now(): number;
}

function idOf({ networks }: Teller): (network: string) => string | undefined {
  return (network) => [...networks.values()].find(({ Name }) => Name === network)?.Id;
}

export function listed(engine: Teller, container: Container): Dockerode.ContainerInfo {
  const { id, name, image, labels, state, hostConfig } = container;
  return {
    Id: id,
    Names: [`/${name}`],
    Image: image,
    ImageID: `sha256:${image}`,
    Labels: { ...labels },
    State: state,
    Status: statusWords(container, engine.now()),
    Ports: ports(container),
    Mounts: mounts(container),
    HostConfig: { NetworkMode: hostConfig.NetworkMode },
    NetworkSettings: networkSettings(id, container.endpoints, { as: 'listed', idOf: idOf(engine) }),
  } as unknown as Dockerode.ContainerInfo;
}

function ports(container: Container): readonly ToldPort[] {
  return Object.entries(container.ports).map(([port, PublicPort]) => {
    const [PrivatePort = '', Type = 'tcp'] = port.split('/');
    return { IP: '127.0.0.1', PrivatePort: Number(PrivatePort), PublicPort, Type };
  });
}

function statusWords({ state, exitCode, startedMs, finishedMs, health }: Container, nowMs: number): string {
  const healthWords = { starting: ' (health: starting)', healthy: ' (healthy)', unhealthy: ' (unhealthy)' };
  switch (state) {
    case 'running':
      return `Up ${duration(nowMs - startedMs)}${health === undefined ? '' : healthWords[health]}`;
    case 'paused':
      return `Up ${duration(nowMs - startedMs)} (Paused)`;
    case 'restarting':
      return `Restarting (${exitCode}) ${duration(nowMs - finishedMs)} ago`;
    case 'exited':
      return `Exited (${exitCode}) ${duration(nowMs - finishedMs)} ago`;
    case 'created':
      return 'Created';
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    default:
      return state satisfies never;
  }
}

/** As the engine rounds it. */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 46) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours === 1 ? 'About an hour' : `${hours} hours`;
}

export function inspected(engine: Teller, container: Container): Dockerode.ContainerInspectInfo {
  const { body, hostConfig, image, labels } = container;
  return {
    ...inspectedCourse(container, engine.skewMs),
    Image: `sha256:${image}`,
    Config: { Image: image, Labels: { ...labels }, Env: body.Env },
    HostConfig: { ...hostConfig },
    NetworkSettings: {
      ...networkSettings(container.id, container.endpoints, { as: 'inspected', idOf: idOf(engine) }),
      Ports: inspectedPorts(ports(container)),
    },
    Mounts: mounts(container),
  } as unknown as Dockerode.ContainerInspectInfo;
}

function mounts({ hostConfig, anonymousVolumes }: Container): readonly object[] {
  return [
    ...bindMounts(hostConfig),
    ...anonymousVolumes.map((Name) => ({
      Type: 'volume',
      Name,
      Source: `/var/lib/docker/volumes/${Name}/_data`,
      Destination: '/data',
      RW: true,
    })),
  ];
}
