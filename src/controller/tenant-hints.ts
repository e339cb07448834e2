import type { Placement } from '../api/status.ts';
import type { Tenant, TenantSpec } from '../api/tenant.ts';
import type { OnChange } from '../compute/provider.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import { keyOf, splitKey } from '../kube/client/kube-object.ts';
import { jsonEqual } from '../kube/client/merge-patch.ts';
import type { WorkQueue } from '../kube/queue/work-queue.ts';
import type { ClusterNews } from './followed/followed-cluster.ts';
import type { Departures } from './departures.ts';
import { recurred } from '../async/recurrence.ts';
import type { Rollouts, Standing } from './rollout/rollouts.ts';
import { isStatusAlone, isWorthALook, urgencyAtStart } from './tenant-change.ts';
import { oldestTenant, tenantIdOf } from './tenant-index.ts';
import type { TenantIndex } from './tenant-index.ts';
import type { TenantMemories, TenantMemory } from './tenant-memory.ts';

/** Turns whatever has happened into keys of the queue: Tenants that may need a pass. */
export interface TenantHints extends ClusterNews {
  /** Something changed that holds for all Tenants of these namespaces. */
  onNamespaces(namespaces: ReadonlySet<string>): void;
  /** Something happened on the provider's engine; without an id, to any tenant. */
  onProvider(provider: string, ...hint: Parameters<OnChange>): void;
}

export interface TenantHintsOptions {
  readonly index: TenantIndex;
  readonly memories: TenantMemories;
  readonly queue: Pick<WorkQueue, 'add' | 'addAfter' | 'forget'>;
  readonly tenants: Pick<Reflector<Tenant>, 'get' | 'values' | 'size'>;
  /** Whether all that there was at the start has been told. */
  readonly hasTold: () => boolean;
  readonly departures: Pick<Departures, 'note'>;
  readonly rollouts: Pick<Rollouts, 'note' | 'forget'>;
  readonly providers: EnabledProviders;
  readonly now: () => Date;
}

export function createTenantHints(options: TenantHintsOptions): TenantHints {
  const { index, memories, queue, tenants } = options;
  const addAll = (keys: Iterable<string>): void => {
    for (const key of keys) queue.add(key);
  };
  const known = (keys: readonly string[]): Tenant[] =>
    keys.flatMap((key) => tenants.get(...splitKey(key)) ?? []);
  /** `left` no longer bears the id of these: where it was the oldest, the oldest of them has it now. */
  const addHeir = (left: Tenant, keys: readonly string[]): void => {
    const heir = oldestTenant(known(keys));
    if (heir !== undefined && oldestTenant([left, heir]) === left) queue.add(keyOf(heir), change);
  };

  return {
    onTenant(event) {
      const { object } = event;
      const key = keyOf(object);
      if (event.type === 'deleted') {
        const isToSettle = options.departures.note({ tenant: object, memory: memories.peek(key) });
        memories.forget(key);
        queue.forget(key);
        options.rollouts.forget(key);
        if (isToSettle) queue.add(key, change);
        return addHeir(object, index.remove(key));
      }
      options.rollouts.note(key, standingOf(object));
      addHeir(event.type === 'updated' ? event.previous : object, index.put(key, tenantIdOf(object)));
      if (event.type === 'added')
        return queue.add(key, options.hasTold() ? change : { urgency: urgencyAtStart(object) });
      const written = memories.peek(key)?.lastWrite?.status;
      if (!isWorthALook(event.previous, object, written)) return;
      if (!isStatusAlone(event.previous, object)) return queue.add(key, change);
      const waitMs = overwrittenWaitMs(memories.of(key), event.previous, options.now());
      if (waitMs === 0) queue.add(key);
      else queue.addAfter(key, waitMs);
    },
    onSourcesKnown: addAll,
    onSource: (...named) => addAll(index.readersOf(...named)),
    onNamespaces(namespaces) {
      for (const tenant of tenants.values())
        if (namespaces.has(tenant.metadata.namespace)) queue.add(keyOf(tenant));
    },
    onProvider(provider, tenantId, why, domain) {
      const spread = {
        urgency: 'sweep',
        withinMs: Math.min(tenants.size * spreadMs, longestSpreadMs),
      } as const;
      if (tenantId !== undefined) {
        const hint = why === 'contact' ? spread : {};
        for (const tenant of concerned(known(index.keysOf(tenantId)))) queue.add(keyOf(tenant), hint);
        return;
      }
      for (const tenant of tenants.values())
        if (isPlacedOn(tenant, { provider, domain, providers: options.providers }))
          queue.add(keyOf(tenant), spread);
    },
  };
}

/** Who is on its way out, or suspended, is nobody's to wait for. */
function standingOf({ metadata, spec, status }: Tenant): Standing {
  const isDriven =
    metadata.deletionTimestamp === undefined && (spec as Partial<TenantSpec> | undefined)?.suspend !== true;
  return { provider: status?.computeProvider, state: isDriven ? status?.rollout?.state : undefined };
}

/** What concerns all at once comes at a hundred a second: an engine that is back has enough to do. */
const spreadMs = 10;
const longestSpreadMs = 30_000;

/** What somebody has asked for goes first. */
const change = { urgency: 'change' } as const;

/** Of several Tenants with one id: whose it is, and who has a place on an engine. The others have nothing there. */
function concerned(claimants: readonly Tenant[]): readonly Tenant[] {
  if (claimants.length < 2) return claimants;
  const owner = oldestTenant(claimants);
  return claimants.filter((tenant) => tenant === owner || tenant.status?.placement !== undefined);
}

/**
 * How long a status of somebody else's may stand: who writes it over ours again and again is answered ever more slowly.
 * What they write over their own counts for nothing.
 */
function overwrittenWaitMs(memory: TenantMemory, { status }: Tenant, now: Date): number {
  const nowMs = now.getTime();
  if (memory.overwritten === undefined || jsonEqual(status, memory.lastWrite?.status))
    memory.overwritten = recurred(memory.overwritten, 'status', nowMs);
  return Math.max(0, memory.overwritten.heldUntil - nowMs);
}

interface Where extends Pick<TenantHintsOptions, 'providers'> {
  readonly provider: string;
  readonly domain: string | undefined;
}

/** Also where nobody knows in which domain a place is. */
function isPlacedOn({ status }: Tenant, { provider, domain, providers }: Where): boolean {
  const domainOf = (placement: Placement): string | undefined =>
    providers.get(provider)?.provider.domainOf?.({ placement });
  const places = [status?.placement, ...(status?.previousPlacements ?? [])];
  return places.some(
    (place) =>
      place?.provider === provider && (domain === undefined || (domainOf(place) ?? domain) === domain),
  );
}
