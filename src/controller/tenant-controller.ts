import type { Logger } from 'pino';
import { tenantSpecSchema } from '../api/tenant.ts';
import type { Tenant, TenantBlocks, TenantSpec } from '../api/tenant.ts';
import { chooseProvider } from '../compute/selection/choose-provider.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { defaultTenantId } from '../compute/spec/tenant-id.ts';
import { abortable } from '../async/abortable.ts';
import { untilAborted } from '../async/until-aborted.ts';
import type { EventRecorder } from '../kube/events/event-recorder.ts';
import type { KubeClient } from '../kube/client/kube-client.ts';
import { isConflict } from '../kube/client/kube-api-error.ts';
import { keyOf } from '../kube/client/kube-object.ts';
import { createReflectorSet } from '../kube/cache/reflector-set.ts';
import type { CacheEvent } from '../kube/cache/object-cache.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import type { ReflectorMetrics } from '../kube/cache/watch-loop.ts';
import { resource } from '../kube/client/resource.ts';
import { createWorkQueue } from '../kube/queue/work-queue.ts';
import type { ProcessResult, WorkQueue, WorkQueueMetrics } from '../kube/queue/work-queue.ts';
import { secretsResource, tenantsResource } from './kube-resources.ts';
import type { ReconcileContext } from './pass/reconcile-context.ts';
import { reconcileTenant } from './pass/reconcile-tenant.ts';
import { createRepairBackoff } from './repair-backoff.ts';
import type { SecretObject } from './secrets/secret-reader.ts';
import { createSecretWatch } from './secrets/secret-watch.ts';
import { isWorthALook } from './tenant-change.ts';
import { createTenantIndex } from './tenant-index.ts';
import { createTenantWriter } from './tenant-writer.ts';

export interface TenantControllerOptions {
  readonly client: KubeClient;
  readonly blocks: TenantBlocks;
  readonly providers: EnabledProviders;
  readonly events: EventRecorder;
  readonly logger: Logger;
  /** Tenants reconciled at once, per provider. */
  readonly concurrency: number;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Label selector; empty: all. */
  readonly tenantSelector: string;
  readonly metrics?: { readonly reflector?: ReflectorMetrics; readonly queue?: WorkQueueMetrics };
  readonly now?: () => Date;
}

export interface TenantController {
  /** Reconciles until `signal` aborts, then lets the running passes end for `drainMs`. */
  run(signal: AbortSignal, drainMs: number): Promise<void>;
  /** The Tenants as they are known. */
  readonly tenants: Reflector<Tenant>;
}

export function createTenantController(options: TenantControllerOptions): TenantController {
  const { client, providers, logger, now = () => new Date() } = options;
  const index = createTenantIndex();
  const repairs = createRepairBackoff();
  const unavailableSince = new Map<string, number>();
  const lastWrites: ReconcileContext['lastWrites'] = new Map();
  const forget = (key: string): void => {
    repairs.forget(key);
    unavailableSince.delete(key);
    lastWrites.delete(key);
    queue.forget(key);
  };
  const tenantsApi = resource<Tenant>(client, tenantsResource);
  const tenants = createReflectorSet<Tenant>({
    resource: tenantsApi,
    namespaces: options.namespaces,
    ...(options.tenantSelector === '' ? {} : { labelSelector: options.tenantSelector }),
    transform: withoutBulk,
    onEvent: (event) => onTenant(event),
    logger,
    ...(options.metrics?.reflector === undefined ? {} : { metrics: options.metrics.reflector }),
  });
  const secretWatch = createSecretWatch(options, (namespace, name) => {
    for (const key of index.readersOf(namespace, name)) queue.add(key);
  });
  const tenantOf = (key: string): Tenant | undefined => {
    const [namespace, name = ''] = key.split('/', 2);
    return tenants.get(namespace, name);
  };
  const context: ReconcileContext = {
    specSchema: tenantSpecSchema(options.blocks),
    providers,
    writer: createTenantWriter(tenantsApi, tenants),
    secrets: resource<SecretObject>(client, secretsResource),
    watchSecrets: () => secretWatch.ensure(),
    index,
    tenantOf,
    events: options.events,
    repairs,
    unavailableSince,
    lastWrites,
    lookAgainWithin: (key, ms) => queue.addAfter(key, ms),
    logger,
    now,
  };
  const queue: WorkQueue = createWorkQueue({
    concurrency: options.concurrency,
    process: (key, signal) => processKey(context, key, signal),
    laneOf: (key) => laneOf(tenantOf(key), providers),
    logger,
    ...(options.metrics?.queue === undefined ? {} : { metrics: options.metrics.queue }),
  });

  function onTenant(event: CacheEvent<Tenant>): void {
    const key = keyOf(event.object);
    if (event.type === 'deleted') {
      forget(key);
      for (const other of index.remove(key)) queue.add(other);
      return;
    }
    for (const other of index.put(key, tenantIdOf(event.object))) queue.add(other);
    if (event.type === 'added' || isWorthALook(event.previous, event.object, lastWrites.get(key)?.status))
      queue.add(key);
  }

  function onProviderHint(provider: string, tenantId: string | undefined): void {
    if (tenantId !== undefined) {
      for (const key of index.keysOf(tenantId)) queue.add(key);
      return;
    }
    for (const tenant of tenants.values()) {
      if (isPlacedOn(tenant, provider)) queue.add(keyOf(tenant));
    }
  }

  return {
    tenants,
    async run(signal, drainMs) {
      const stop = new AbortController();
      const watching = [
        tenants.run(stop.signal),
        secretWatch.run(stop.signal),
        ...[...providers].map(([name, { provider }]) =>
          provider.watch((tenantId) => onProviderHint(name, tenantId), stop.signal),
        ),
      ];
      await abortable(tenants.synced, signal).catch(() => undefined);
      if (!signal.aborted) {
        logger.info({ tenants: tenants.size }, 'Tenants are known, reconciling');
        const working = new AbortController();
        const passes = queue.run(working.signal);
        await untilAborted(signal);
        await queue.drain(drainMs);
        working.abort();
        await passes;
      }
      stop.abort();
      await Promise.all(watching);
    },
  };
}

/**
 * The provider that a pass over the Tenant will wait for: one that hangs must not keep the others' workers busy.
 * '' where none can be told yet, and such a pass ends without calling any.
 */
function laneOf(tenant: Tenant | undefined, providers: EnabledProviders): string {
  if (tenant === undefined) return '';
  const { metadata, status } = tenant;
  const placedOn = status?.placement?.provider;
  if (metadata.deletionTimestamp !== undefined) return placedOn ?? '';
  const spec = (tenant.spec ?? {}) as Partial<TenantSpec>;
  try {
    return chooseProvider({
      computeProvider: spec.computeProvider,
      labels: metadata.labels,
      annotations: metadata.annotations,
      blocks: Object.keys(spec.computeConfig ?? {}),
      placedOn,
      enabled: [...providers.keys()],
    });
  } catch {
    return '';
  }
}

function isPlacedOn({ status }: Tenant, provider: string): boolean {
  const places = [status?.placement, ...(status?.previousPlacements ?? [])];
  return places.some((place) => place?.provider === provider);
}

async function processKey(
  context: ReconcileContext,
  key: string,
  signal: AbortSignal,
): Promise<ProcessResult> {
  const tenant = context.tenantOf(key);
  if (tenant === undefined) return {};
  try {
    return await reconcileTenant(context, tenant, signal);
  } catch (error) {
    // Somebody wrote between our read and our write: the watch brings the new state, the pass starts afresh.
    if (isConflict(error)) return { requeueAfterMs: conflictRetryMs };
    throw error;
  }
}

/** The watch is rarely further behind. */
const conflictRetryMs = 250;

/** What is kept of a Tenant: managedFields and kubectl's copy of the manifest are half of its memory. */
function withoutBulk(tenant: Tenant): Tenant {
  const { managedFields: _managedFields, ...metadata } = tenant.metadata as Tenant['metadata'] & {
    managedFields?: unknown;
  };
  if (metadata.annotations?.[lastApplied] !== undefined) {
    const { [lastApplied]: _lastApplied, ...annotations } = metadata.annotations;
    metadata.annotations = annotations;
  }
  return { ...tenant, metadata };
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

function tenantIdOf({ metadata, spec }: Tenant): string {
  return (
    (spec as Partial<TenantSpec> | undefined)?.tenantId ?? defaultTenantId(metadata.namespace, metadata.name)
  );
}
