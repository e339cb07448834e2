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

/** Mounts of named volumes, as the engine lists them. */
export function bindMounts({ Binds }: Dockerode.HostConfig): readonly object[] {
  return (Binds ?? []).map((bind) => {
    const [Name = '', Destination = '', mode] = bind.split(':');
    return { Type: 'volume', Name, Source: Name, Destination, RW: mode !== 'ro' };
  });
}
