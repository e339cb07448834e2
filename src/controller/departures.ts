import { setConditions, timestamp } from '../api/conditions.ts';
import { apiVersion, kind } from '../api/names.ts';
import type { Placement, TenantStatus } from '../api/status.ts';
import type { Tenant } from '../api/tenant.ts';
import { ComputeError } from '../compute/errors.ts';
import { placeText } from '../compute/place.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { asksToRetain } from './steps/delete-tenant.ts';
import { permitToDelete } from './steps/gate.ts';
import { isConflict, isApiError } from '../kube/client/kube-api-error.ts';
import { keyOf } from '../kube/client/kube-object.ts';
import { jsonEqual } from '../kube/client/merge-patch.ts';
import type { Resource } from '../kube/client/resource.ts';
import { readyGeneration } from './status/ready.ts';
import type { ReconcileDeps } from './pass.ts';
import { tenantIdOf } from './tenant-index.ts';
import type { TenantMemory } from './tenant-memory.ts';

/** A Tenant that the watch shows no more, though it was not this process that let it go. */
export interface Departed {
  readonly tenant: Tenant;
  /** As a pass that was under way left it. */
  readonly memory: TenantMemory | undefined;
}

export interface Departures {
  /** Whether there is anything to be settled. */
  note(departed: Departed): boolean;
  /** After the last pass over it. Rejects where the apiserver does not answer; then it is still to be settled. */
  settle(key: string, signal: AbortSignal): Promise<void>;
}

export interface DeparturesOptions {
  readonly tenants: Resource<Tenant>;
  readonly deps: () => Pick<
    ReconcileDeps,
    'providers' | 'index' | 'tenantOf' | 'mayRetain' | 'events' | 'logger' | 'now'
  >;
  /** Empty: all. */
  readonly tenantSelector: string;
  readonly instance: string;
  readonly metrics?: {
    /** A Tenant has gone and left something behind, though the operator did not let it. */
    readonly onOrphaned?: () => void;
  };
}

/**
 * What a Tenant leaves behind that went without its finalizer (the apiserver deletes one whose finalizer comes in the
 * same moment, and whoever may write Tenants may take it away), and the last word on one that went no further than out of
 * the selector.
 */
export function createDepartures(options: DeparturesOptions): Departures {
  const { tenantSelector } = options;
  const all = new Map<string, Departed>();
  return {
    note(departed) {
      const { tenant, memory } = departed;
      if (memory?.letGo === tenant.metadata.uid) return false;
      const leavesNothing = placesOf(departed).length === 0 && forgetful(options).length === 0;
      if (tenantSelector === '' && leavesNothing) return false;
      all.set(keyOf(tenant), departed);
      return true;
    },
    async settle(key, signal) {
      const departed = all.get(key);
      if (departed === undefined) return;
      const isBack = options.deps().tenantOf(key)?.metadata.uid === departed.tenant.metadata.uid;
      if (!isBack) await settle(options, departed, signal);
      if (all.get(key) === departed) all.delete(key);
    },
  };
}

async function settle(options: DeparturesOptions, departed: Departed, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid } = departed.tenant.metadata;
  // The watch was quicker than the answer to our own last write.
  if (departed.memory?.letGo === uid) return;
  const found = await options.tenants.get(name, namespace, { signal });
  if (found?.metadata.uid === uid) {
    // It has only left the selector: a watch tells of that as of a deletion.
    if (options.tenantSelector === '' || !isOurs(found, departed)) return;
    // Somebody wrote between the look and the word: if that was no status, the last word is still ours.
    if ((await sayReleased(options, found, signal)) === 'conflict') await settle(options, departed, signal);
    return;
  }
  await forgetAbsent(options, departed, signal);
  // Another one of its name takes back what is there.
  if (found === undefined) await tellOrphaned(options, departed, signal);
}

/** Whether the status is what we have written last: another operator may have taken the Tenant up already. */
function isOurs({ status }: Tenant, { tenant, memory }: Departed): boolean {
  return status !== undefined && jsonEqual(status, memory?.lastWrite?.status ?? tenant.status);
}

async function sayReleased(
  { tenants, deps, tenantSelector, instance }: DeparturesOptions,
  { metadata, status = { observedGeneration: -1 } }: Tenant,
  signal: AbortSignal,
): Promise<'conflict' | undefined> {
  const { logger, now } = deps();
  const message =
    `the operator of instance "${instance}" has let it go: its labels no longer match controller.tenant_selector ` +
    `"${tenantSelector}"; what runs is left as it is, and this status is not kept up to date until an operator takes it up`;
  const condition = { type: 'Ready', status: 'Unknown', reason: 'Released', message } as const;
  const released: Partial<Record<keyof TenantStatus, unknown>> = {
    phase: null,
    retry: null,
    compute: status.compute && { state: 'unknown', health: 'unknown', lastTransitionTime: timestamp(now()) },
    conditions: setConditions(
      status.conditions ?? [],
      [{ ...condition, observedGeneration: readyGeneration(status) }],
      now(),
    ),
  };
  const { name, namespace, resourceVersion } = metadata;
  const patch = { metadata: { resourceVersion }, status: released };
  try {
    await tenants.mergePatch(name, namespace, patch, { subresource: 'status', signal });
  } catch (error) {
    if (isConflict(error)) return 'conflict';
    // Whoever took our rights has the last word.
    if (!isApiError(error, 403, 404)) throw error;
    return undefined;
  }
  logger.info(
    { tenant: `${namespace}/${name}`, tenantSelector },
    'a Tenant has left the selector, and is let go',
  );
  return undefined;
}

/** Where it was, as far as the watch or this process knows. */
function placesOf({ tenant: { status }, memory }: Departed): readonly Placement[] {
  const { placement, previousPlacements = [] } =
    status?.placement === undefined ? (memory?.whereabouts ?? {}) : status;
  return [...(placement === undefined ? [] : [placement]), ...previousPlacements];
}

/** Somebody took the finalizer away: says what is seen to be left, which nobody looks after now. */
async function tellOrphaned(
  { deps, metrics }: DeparturesOptions,
  departed: Departed,
  signal: AbortSignal,
): Promise<void> {
  const { events, logger } = deps();
  const { namespace, name, uid } = departed.tenant.metadata;
  const left = await placesLeft(deps().providers, departed, signal);
  if (left.length === 0) return;
  const note =
    `the finalizer was taken away by somebody else: what runs at ${left.join(', ')} is nobody's now; ` +
    'apply the Tenant again to take it back, and delete it to remove it';
  logger.warn({ tenant: `${namespace}/${name}` }, note);
  const regarding = { apiVersion, kind, name, namespace, uid };
  events.emit({ regarding, type: 'Warning', reason: 'Orphaned', action: 'Observe', note });
  metrics?.onOrphaned?.();
}

async function placesLeft(
  providers: EnabledProviders,
  departed: Departed,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { tenant } = departed;
  const { namespace, name } = tenant.metadata;
  const tenantId = tenant.status?.tenantId ?? tenantIdOf(tenant);
  const left: string[] = [];
  for (const placement of placesOf(departed)) {
    const enabled = providers.get(placement.provider);
    if (enabled?.definition.durable !== true) continue;
    try {
      const place = { tenantId, namespace, name, placement };
      const { exists } = await enabled.provider.getStatus(place, undefined, { fresh: true, signal });
      if (exists) left.push(placeText(placement));
    } catch (error) {
      // What can't be told now, the report of orphans will tell.
      if (!(error instanceof ComputeError)) throw error;
    }
  }
  return left;
}

function forgetful({ deps }: Pick<DeparturesOptions, 'deps'>) {
  return [...deps().providers.values()].filter(({ definition }) => !definition.durable);
}

/** Of what this process alone remembers, nothing can be found later by its marks. */
async function forgetAbsent(
  options: DeparturesOptions,
  { tenant }: Departed,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = tenant.metadata;
  const tenantId = tenant.status?.tenantId ?? tenantIdOf(tenant);
  const { index, mayRetain } = options.deps();
  if (asksToRetain(tenant) !== undefined && mayRetain(namespace) !== false) return;
  // What another Tenant of this id has there is not of this one.
  if (index.keysOf(tenantId).length > 0) return;
  for (const { definition, provider } of forgetful(options)) {
    const place = { tenantId, namespace, name, placement: { provider: definition.name } };
    await provider.destroy(place, permitToDelete(tenant), signal);
  }
}
