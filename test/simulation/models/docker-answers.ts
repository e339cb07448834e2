import type Dockerode from 'dockerode';
import type { Container } from './docker-container.ts';

/** The modelled engine's containers in the words of its API. `skewMs`: by how much its clock is ahead of ours. */

export function listed(container: Container, nowMs: number): Dockerode.ContainerInfo {
  const { id, name, image, labels, state, hostConfig } = container;
  return {
    Id: id,
    Names: [`/${name}`],
    Image: image,
    Labels: { ...labels },
    State: state,
    Status: statusWords(container, nowMs),
    Ports: Object.entries(container.ports).map(([port, PublicPort]) => {
      const [PrivatePort = '', Type = 'tcp'] = port.split('/');
      return { IP: '127.0.0.1', PrivatePort: Number(PrivatePort), PublicPort, Type };
    }),
    Mounts: mounts(container),
    NetworkSettings: { Networks: { [hostConfig.NetworkMode ?? 'bridge']: { NetworkID: '' } } },
  } as unknown as Dockerode.ContainerInfo;
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

export function inspected(container: Container, skewMs: number): Dockerode.ContainerInspectInfo {
  const { id, name, body, state, hostConfig, health, image, labels } = container;
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
    Config: { Image: image, Labels: { ...labels }, Env: body.Env },
    HostConfig: { ...hostConfig },
    Mounts: mounts(container),
  } as unknown as Dockerode.ContainerInspectInfo;
}

function mounts({ hostConfig, anonymousVolumes }: Container): readonly object[] {
  return [
    ...(hostConfig.Binds ?? []).map((bind) => {
      const [Name = '', Destination = '', mode] = bind.split(':');
      return { Type: 'volume', Name, Source: Name, Destination, RW: mode !== 'ro' };
    }),
    ...anonymousVolumes.map((Name) => ({
      Type: 'volume',
      Name,
      Source: `/var/lib/docker/volumes/${Name}/_data`,
      Destination: '/data',
      RW: true,
    })),
  ];
}
