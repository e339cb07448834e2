import { setTimeout as sleep } from 'node:timers/promises';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { obtainDockerEngine } from './docker-engine.ts';
import type { DockerEngine } from './docker-engine.ts';
import { kubeRequest } from './kube-request.ts';
import { removeOnDeath } from './leftovers.ts';
import { startRegistry } from './registry.ts';
import type { Registry } from './registry.ts';
import { removeSharedEngineRemains } from './shared-engine-remains.ts';

/** All that Landlord needs around it to be tried for real. */
export interface RealParts {
  readonly controlPlane: ControlPlane;
  readonly engine: DockerEngine;
  readonly registry: Registry;
  /** Stops them all; goes on where one fails to stop, and rejects at the end. Leaves an engine of others as it was. */
  stop(): Promise<void>;
}

/** Starts all at once. Where one can't be had, the others are stopped and this rejects with each that failed. */
export async function startRealParts(): Promise<RealParts> {
  const [controlPlane, engine, registry] = await Promise.allSettled([
    startControlPlane(),
    obtainDockerEngine(),
    startRegistry(),
  ]);
  const stopAll = async (tidyUp?: () => Promise<void>): Promise<void> => {
    const started = [controlPlane, engine, registry].filter((part) => part.status === 'fulfilled');
    const stopped = await Promise.allSettled(started.map((part) => part.value.stop()));
    // An engine of others is still there, and nothing is pulled any more.
    if (tidyUp !== undefined) stopped.push(...(await Promise.allSettled([tidyUp()])));
    const failures = stopped.flatMap((result) => failureOf('a part could not be stopped', result));
    if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join('\n'));
  };
  if (
    controlPlane.status === 'fulfilled' &&
    engine.status === 'fulfilled' &&
    registry.status === 'fulfilled'
  ) {
    const parts = { controlPlane: controlPlane.value, engine: engine.value, registry: registry.value };
    if (engine.value.private) return { ...parts, stop: () => stopAll() };
    try {
      const tidyUp = await leaveAsItWas(parts);
      return { ...parts, stop: () => stopAll(tidyUp) };
    } catch (error) {
      await stopAll();
      throw error;
    }
  }
  await stopAll();
  const failures = [
    ...failureOf('the control plane is missing', controlPlane),
    ...failureOf('the Docker Engine is missing', engine),
    ...failureOf('the registry is missing', registry),
  ];
  throw new AggregateError(failures, failures.map(messageOf).join('\n'));
}

/** Returns what removes all that this run has put on an engine of others; the watchdog does it should the run die. */
async function leaveAsItWas({ controlPlane, engine, registry }: Omit<RealParts, 'stop'>) {
  const clusterUid = await clusterUidOf(controlPlane);
  const remains = { dockerHost: engine.host, registryAddress: registry.address, clusterUid };
  const forget = removeOnDeath({ kind: 'shared-engine', ...remains });
  return async (): Promise<void> => {
    await removeSharedEngineRemains(remains);
    forget();
  };
}

/** The apiserver makes kube-system by itself, a moment after it is ready. */
async function clusterUidOf({ kubeconfigPath }: ControlPlane): Promise<string> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { status, body } = await kubeRequest(kubeconfigPath, { path: '/api/v1/namespaces/kube-system' });
    if (status === 200) return (body as { metadata: { uid: string } }).metadata.uid;
    await sleep(100);
  }
  throw new Error('the control plane has no namespace kube-system after 30 s');
}

function failureOf(what: string, result: PromiseSettledResult<unknown>): Error[] {
  if (result.status === 'fulfilled') return [];
  const cause: unknown = result.reason;
  return [new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })];
}

function messageOf(error: Error): string {
  return error.message;
}
