import type { Logger } from 'pino';
import type { Tenant, TenantSpecSchema } from '../api/tenant.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { backoffMs } from '../async/backoff.ts';
import { abortable } from '../async/abortable.ts';
import { doneWithin } from '../async/done-within.ts';
import { onAbort } from '../async/on-abort.ts';
import { untilAborted } from '../async/until-aborted.ts';
import type { EventRecorder } from '../kube/events/event-recorder.ts';
import type { KubeClient } from '../kube/client/kube-client.ts';
import { isConflict, isNotFound, isNotServed } from '../kube/client/kube-api-error.ts';
import { splitKey } from '../kube/client/kube-object.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import type { ReflectorMetrics } from '../kube/cache/watch-loop.ts';
import { resource } from '../kube/client/resource.ts';
import { createWorkQueue } from '../kube/queue/work-queue.ts';
import type { ProcessResult, WorkQueue, WorkQueueMetrics } from '../kube/queue/work-queue.ts';
import { createDepartures } from './departures.ts';
import type { Departures } from './departures.ts';
import { tenantsResource } from './kube-resources.ts';
import type { ReconcileDeps } from './pass.ts';
import { followCluster } from './followed/followed-cluster.ts';
import type { FollowedCluster } from './followed/followed-cluster.ts';
import { reconcileTenant } from './reconcile-tenant.ts';
import { createRollouts } from './rollout/rollouts.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import type { RolloutLimits, WaveCounts } from './rollout/wave.ts';
import { sharedReads } from './sources/shared-reads.ts';
import { sourceResources } from './sources/source.ts';
import type { ConfigMapObject, SecretObject } from './sources/source.ts';
import { createTenantLanes } from './tenant-lane.ts';
import { createFormerIds } from './owned/former-ids.ts';
import { createOwnedLook } from './owned/owned-look.ts';
import { createTenantHints } from './tenant-hints.ts';
import type { TenantHints } from './tenant-hints.ts';
import { createTenantIndex } from './tenant-index.ts';
import { createTenantMemories } from './tenant-memory.ts';
import { createTenantWriter } from './tenant-writer.ts';

export interface TenantControllerOptions {
  readonly client: KubeClient;
  readonly specSchema: TenantSpecSchema;
  readonly providers: EnabledProviders;
  readonly events: EventRecorder;
  readonly logger: Logger;
  /** Owner mark on everything that the providers create. */
  readonly instance: string;
  /** Tenants reconciled at once, in each lane. */
  readonly concurrency: number;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Label selector; empty: all. */
  readonly tenantSelector: string;
  /** Where somebody else has it run: it is followed for longer than the controller runs. */
  readonly cluster?: FollowedCluster;
  /** Whether Tenants of a namespace may leave behind what they run; undefined: nobody can tell now. Default: all may. */
  readonly mayRetain?: (namespace: string) => boolean | undefined;
  /** Whether Tenants of this namespace may have any id that they like. May throw ComputeError. */
  readonly freeTenantIds: (namespace: string) => boolean;
  readonly metrics?: {
    readonly reflector?: ReflectorMetrics;
    readonly queue?: WorkQueueMetrics;
    readonly onOrphaned?: () => void;
    readonly onRollout?: (provider: string, counts: WaveCounts) => void;
  };
  /** By provider, how many Tenants a change of the operator's own updates at once. Default: no limits. */
  readonly rollouts?: ReadonlyMap<string, RolloutLimits>;
  readonly now?: () => Date;
}

export interface TenantController {
  /**
   * Reconciles until `signal` aborts, then lets the running passes end for `drainMs`; what goes on after that, or when
   * `abort` does, is aborted.
   */
  run(signal: AbortSignal, drainMs: number, abort?: AbortSignal): Promise<void>;
  /** The Tenants as they are known. */
  readonly tenants: Reflector<Tenant>;
  /** What Tenants of these namespaces may ask for may be something else now. */
  onNamespaces(namespaces: ReadonlySet<string>): void;
}

export function createTenantController(options: TenantControllerOptions): TenantController {
  const { client, providers, logger, metrics, now = () => new Date() } = options;
  const index = createTenantIndex();
  const memories = createTenantMemories();
  const tenantsApi = resource<Tenant>(client, tenantsResource);
  const cluster = options.cluster ?? followCluster(options);
  const { tenants, sources } = cluster;
  const tenantOf = (key: string): Tenant | undefined => tenants.get(...splitKey(key));
  const laneOf = createTenantLanes(providers);
  const queue: WorkQueue = createWorkQueue({
    concurrency: options.concurrency,
    process: (key, signal) => processKey({ deps, departures }, key, signal),
    laneOf: (key) => laneOf(tenantOf(key)),
    groupOf: (key) => splitKey(key)[0] ?? '',
    logger,
    ...(metrics?.queue === undefined ? {} : { metrics: metrics.queue }),
  });
  const departures = createDepartures({ ...options, tenants: tenantsApi, deps: () => deps });
  const rollouts = rolloutsOf(options, queue);
  const hints = createTenantHints({
    index,
    memories,
    queue,
    tenants,
    hasTold: () => cluster.hasTold(),
    departures,
    rollouts,
    providers,
    now,
  });
  const deps: ReconcileDeps = {
    specSchema: options.specSchema,
    providers,
    writer: createTenantWriter(tenantsApi, tenants),
    ...readsOf({ client, sources }),
    ...looksByOwner(),
    freeTenantIds: options.freeTenantIds,
    index,
    rollouts,
    tenantOf,
    memories,
    events: options.events,
    lookAgainWithin: (key, ms) => queue.addAfter(key, ms),
    mayRetain: options.mayRetain ?? (() => true),
    logger,
    now,
  };
  const ownWatch: readonly Watch[] = options.cluster === undefined ? [(signal) => cluster.run(signal)] : [];
  const watches = [...ownWatch, ...providerWatches(providers, hints)];
  cluster.tell(hints);
  return {
    tenants,
    onNamespaces: (namespaces) => hints.onNamespaces(namespaces),
    run: (signal, drainMs, abort) => run({ tenants, queue, watches, logger, drainMs, abort }, signal),
  };
}

/** What all who wait are told is for when there is time. */
const tellAll = { urgency: 'sweep', withinMs: 30_000 } as const;

function rolloutsOf({ rollouts, metrics }: TenantControllerOptions, queue: Pick<WorkQueue, 'add'>): Rollouts {
  return createRollouts({
    limits: rollouts ?? new Map(),
    wake: (key, all) => queue.add(key, all ? tellAll : {}),
    onCounts: (provider, counts) => metrics?.onRollout?.(provider, counts),
  });
}

function readsOf({
  client,
  sources,
}: Pick<TenantControllerOptions, 'client'> & Pick<FollowedCluster, 'sources'>): Pick<
  ReconcileDeps,
  'secrets' | 'configMaps' | 'watches' | 'versionOf'
> {
  const { Secret, ConfigMap } = sourceResources;
  return {
    secrets: sharedReads(resource<SecretObject>(client, Secret), sources.Secret.versionOf),
    configMaps: sharedReads(resource<ConfigMapObject>(client, ConfigMap), sources.ConfigMap.versionOf),
    watches: (kind, namespace, key) => sources[kind].isWatched(namespace, key),
    versionOf: (kind, namespace, name) => sources[kind].versionOf(namespace, name),
  };
}

function looksByOwner(): Pick<ReconcileDeps, 'ownedOn' | 'formerIds'> {
  const ownedOn = createOwnedLook();
  return { ownedOn, formerIds: createFormerIds(ownedOn) };
}

/** How long what was aborted gets to end; what hangs then must not keep the process. */
const abortedMs = 2000;

type Watch = (signal: AbortSignal) => Promise<void>;

function providerWatches(providers: EnabledProviders, hints: TenantHints): readonly Watch[] {
  return [...providers].map(
    ([name, { provider }]): Watch =>
      (signal) =>
        provider.watch((...hint) => hints.onProvider(name, ...hint), signal),
  );
}

interface Running {
  readonly tenants: Reflector<Tenant>;
  readonly queue: WorkQueue;
  readonly watches: readonly Watch[];
  readonly logger: Logger;
  readonly drainMs: number;
  readonly abort: AbortSignal | undefined;
}

/** Watches until the queue has drained: a pass that ends late still sees what it waits for. */
async function run(
  { tenants, queue, watches, logger, drainMs, abort }: Running,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const watching = watches.map((watch) => watch(stop.signal));
  await abortable(tenants.synced, signal).catch(() => undefined);
  if (!signal.aborted) {
    logger.info({ tenants: tenants.size }, 'Tenants are known, reconciling');
    const working = new AbortController();
    const passes = queue.run(working.signal);
    const stopFollowing = onAbort(abort, () => working.abort(abort?.reason));
    await untilAborted(signal);
    if (!working.signal.aborted) await Promise.race([queue.drain(drainMs), untilAborted(working.signal)]);
    stopFollowing();
    working.abort();
    await doneWithin(passes, abortedMs);
  }
  stop.abort();
  await doneWithin(Promise.all(watching), abortedMs);
}

interface Processing {
  readonly deps: ReconcileDeps;
  readonly departures: Departures;
}

async function processKey(
  { deps, departures }: Processing,
  key: string,
  signal: AbortSignal,
): Promise<ProcessResult> {
  try {
    await departures.settle(key, signal);
    return await passOver(deps, key, signal);
  } catch (error) {
    // Without the CRD nothing can be told of a Tenant, nor to one. That is said once, by the watch.
    if (isNotServed(error)) return { failed: true };
    throw error;
  }
}

async function passOver(deps: ReconcileDeps, key: string, signal: AbortSignal): Promise<ProcessResult> {
  const tenant = deps.tenantOf(key);
  if (tenant === undefined) return {};
  const memory = deps.memories.of(key);
  const conflicts = memory.conflicts ?? 0;
  memory.conflicts = undefined;
  try {
    return await reconcileTenant(deps, tenant, signal);
  } catch (error) {
    // Somebody wrote between our read and our write: the watch brings the new state, the pass starts afresh.
    if (isConflict(error)) {
      memory.conflicts = conflicts + 1;
      return { requeueAfterMs: backoffMs(conflicts, conflictBackoff) };
    }
    // It went during the pass. The watch says so, too; until then there is nothing to be done.
    if (isNotFound(error)) return { failed: true };
    throw error;
  }
}

/** The watch is rarely further behind than the first; whoever writes all the time is not to be raced. */
const conflictBackoff = { baseMs: 250, capMs: 30_000, jitter: 'none' } as const;
