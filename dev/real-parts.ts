import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { obtainDockerEngine, type DockerEngine } from './docker-engine.ts';
import { startRegistry, type Registry } from './registry.ts';

/** All that Landlord needs around it to be tried for real. */
export interface RealParts {
  readonly controlPlane: ControlPlane;
  readonly engine: DockerEngine;
  readonly registry: Registry;
  /** Stops them all; goes on where one fails to stop, and rejects at the end. */
  stop(): Promise<void>;
}

/** Starts all at once. Where one can't be had, the others are stopped and this rejects with each that failed. */
export async function startRealParts(): Promise<RealParts> {
  const [controlPlane, engine, registry] = await Promise.allSettled([
    startControlPlane(),
    obtainDockerEngine(),
    startRegistry(),
  ]);
  const stop = async (): Promise<void> => {
    const started = [controlPlane, engine, registry].filter((part) => part.status === 'fulfilled');
    const stopped = await Promise.allSettled(started.map((part) => part.value.stop()));
    const failures = stopped.flatMap((result) => failureOf('a part could not be stopped', result));
    if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join('\n'));
  };
  if (
    controlPlane.status === 'fulfilled' &&
    engine.status === 'fulfilled' &&
    registry.status === 'fulfilled'
  ) {
    return { controlPlane: controlPlane.value, engine: engine.value, registry: registry.value, stop };
  }
  await stop();
  const failures = [
    ...failureOf('the control plane is missing', controlPlane),
    ...failureOf('the Docker Engine is missing', engine),
    ...failureOf('the registry is missing', registry),
  ];
  throw new AggregateError(failures, failures.map(messageOf).join('\n'));
}

function failureOf(what: string, result: PromiseSettledResult<unknown>): Error[] {
  if (result.status === 'fulfilled') return [];
  const cause: unknown = result.reason;
  return [new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })];
}

function messageOf(error: Error): string {
  return error.message;
}
