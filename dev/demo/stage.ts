import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyCrds } from '../apply-crds.ts';
import { dockerBlockFor } from '../docker-engine.ts';
import { pushImage } from '../images.ts';
import { removeOnDeath } from '../leftovers.ts';
import { withProgress } from '../progress.ts';
import { pythonTools } from '../python-tools.ts';
import { startRealParts } from '../real-parts.ts';
import type { RealParts } from '../real-parts.ts';
import { startEcsAccount } from './ecs-account.ts';
import type { EcsAccount } from './ecs-account.ts';
import { engineApi } from './engine-api.ts';
import type { EngineApi } from './engine-api.ts';
import { watchFleet } from './fleet.ts';
import type { Fleet } from './fleet.ts';
import { kubeObjects } from './kube-objects.ts';
import type { KubeObjects } from './kube-objects.ts';
import { demoNamespace } from './namespace.ts';
import { startOperator } from './operator-process.ts';
import type { OperatorProcess } from './operator-process.ts';

/** All that the tour plays on. */
export interface Stage {
  readonly kubeconfigPath: string;
  readonly dockerHost: string;
  /** The owner mark of what the operator creates, as a label filter. */
  readonly ownerLabel: string;
  readonly labelPrefix: string;
  readonly registryAddress: string;
  readonly objects: KubeObjects;
  readonly engine: EngineApi;
  readonly ecs: EcsAccount;
  readonly fleet: Fleet;
  readonly operator: OperatorProcess;
  /** Aborts with Ctrl-C and when the stage is closed. */
  readonly signal: AbortSignal;
  image(tag: string): string;
  /** Stops everything and leaves nothing: no process, no container, no image, no file. */
  close(): Promise<void>;
}

/** Tags of `app`; the crashing one exits before it has settled. `missing` is not pushed. */
const demoImages = [
  { tag: '1' },
  { tag: '2' },
  { tag: '3-crashes', command: ['crash', '1', '500ms'] },
  { tag: '4' },
] as const;

export async function setUpStage(signal: AbortSignal): Promise<Stage> {
  const parts = await withProgress(
    'starting the control plane, the Docker Engine and the registry',
    startParts,
  );
  const folder = await mkdtemp(join(tmpdir(), 'landlord-demo-'));
  const forget = removeOnDeath({ kind: 'folder', path: folder });
  const removeFolder = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    forget();
  };
  const undo: Undo[] = [() => parts.stop(), removeFolder];
  try {
    return await withProgress('starting the operator', () => furnish(parts, { folder, undo, signal }));
  } catch (error) {
    await tearDown(undo);
    throw error;
  }
}

/** What the ECS endpoint is installed from takes a while the first time, and needs none of the others. */
async function startParts(): Promise<RealParts> {
  const starting = startRealParts();
  try {
    const [parts] = await allEnded([starting, pythonTools()]);
    return parts;
  } catch (error) {
    await starting.then(
      (parts) => parts.stop(),
      () => undefined,
    );
    throw error;
  }
}

/** Rejects with the first failure, but not before all have ended: none starts behind the back of the tear-down. */
async function allEnded<T extends readonly unknown[] | []>(
  tasks: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}

async function pushImages(registry: RealParts['registry']): Promise<void> {
  for (const image of demoImages) await pushImage(registry, { repository: 'app', ...image });
}

type Undo = () => Promise<void> | void;

async function furnish(
  parts: RealParts,
  { folder, undo, signal }: { folder: string; undo: Undo[]; signal: AbortSignal },
): Promise<Stage> {
  const { controlPlane, engine: dockerEngine, registry } = parts;
  const { kubeconfigPath } = controlPlane;
  const engine = engineApi(dockerEngine.host);
  // An engine that others use as well may hold other programs' `landlord-…`.
  const labelPrefix = dockerEngine.private ? 'landlord' : `landlord-demo-${randomBytes(2).toString('hex')}`;
  const instance = 'demo';
  const ownerLabel = `${labelPrefix}.owner=${instance}`;
  if (!dockerEngine.private) undo.push(() => tidyUp(engine, ownerLabel));
  const startEcs = async (): Promise<EcsAccount> => {
    const ecs = await startEcsAccount(dockerEngine.host, `${registry.address}/app:1`);
    undo.push(() => ecs.stop());
    return ecs;
  };
  const [ecs] = await allEnded([
    withProgress('starting the ECS endpoint', startEcs),
    applyCrds(kubeconfigPath),
    pushImages(registry),
  ]);
  const fleet = await watchFleet(kubeconfigPath, demoNamespace);
  undo.push(() => fleet.stop());
  const operator = await startOperator({
    folder,
    kubeconfigPath: controlPlane.operatorKubeconfigPath,
    config: {
      instance,
      compute: {
        docker: {
          ...dockerBlockFor(dockerEngine),
          image: `${registry.address}/app:1`,
          label_prefix: labelPrefix,
        },
        ecs: ecs.block,
        mock: {},
      },
    },
    env: ecs.environment,
  });
  undo.push(() => operator.stop());
  const closed = new AbortController();
  undo.push(() => closed.abort());
  return {
    kubeconfigPath,
    dockerHost: dockerEngine.host,
    ownerLabel,
    labelPrefix,
    registryAddress: registry.address,
    objects: kubeObjects(kubeconfigPath, demoNamespace),
    engine,
    ecs,
    fleet,
    operator,
    signal: AbortSignal.any([signal, closed.signal]),
    image: (tag) => `${registry.address}/app:${tag}`,
    close: () => withProgress('stopping everything', () => tearDown(undo)),
  };
}

/** What was set up last goes first. Goes on where one fails, and rejects at the end. */
async function tearDown(undo: readonly Undo[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of undo.toReversed()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
}

/** An engine of our own goes with everything in it; a shared one is left as it was found. Its images go with the parts. */
async function tidyUp(engine: EngineApi, ownerLabel: string): Promise<void> {
  for (const { id } of await engine.containers(ownerLabel)) await engine.remove(id);
  for (const name of await engine.networks(ownerLabel)) await engine.removeNetwork(name);
  for (const name of await engine.volumes(ownerLabel)) await engine.removeVolume(name);
}
