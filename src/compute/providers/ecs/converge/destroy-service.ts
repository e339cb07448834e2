import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import { consentTo } from '../../../permit.ts';
import type { Consent, Permit } from '../../../permit.ts';
import type { DestroyResult, TenantPlace } from '../../../provider.ts';
import { familyOf } from '../address/arns.ts';
import { targetOf } from '../state/desired.ts';
import { drainLookMs, visibleMs } from './attempt.ts';
import type { ConvergedGroups } from './attempt.ts';
import { endGroups } from './balancing/end-groups.ts';
import { endScaling } from './apply-scaling.ts';
import { drainService } from './drain-service.ts';
import type { EcsApi } from '../engine/ecs-api.ts';
import type { ServiceTarget } from '../address/service-target.ts';
import { isReached } from '../state/balancing/compare-rules.ts';
import { isSeenReached } from '../state/balancing/known-groups.ts';
import { isThere } from '../state/ecs-service.ts';
import type { EcsService } from '../state/ecs-service.ts';
import { whoseService } from '../state/marks/owner-marks.ts';
import { tagKeys, tagMap } from '../state/marks/tags.ts';
import type { Tags } from '../state/marks/tags.ts';
import { overlayFamily } from '../state/task-definition/task-overlay.ts';
import { endReleases } from './run-release.ts';
import { deregisterUnused } from './task-revisions.ts';

/** One a second is what ECS takes from a whole account. */
const deregistrationsAtOnce = 5;
const deregisterLookMs = 5_000;

export interface DestroyDeps {
  readonly api: EcsApi;
  readonly ownership: Ownership;
  readonly groups: ConvergedGroups;
  /** Whether this process asked for the service so lately that ECS may not show it yet. */
  readonly mayAppear: (target: ServiceTarget) => boolean;
}

/** Deletes the tenant's service and its own task definitions at the placement. Someone else's counts as not there. */
export async function destroyService(
  deps: DestroyDeps,
  { at, permit }: { readonly at: TenantPlace; readonly permit: Permit },
  signal: AbortSignal,
): Promise<DestroyResult> {
  const { api } = deps;
  const target = targetOf(at.placement, 'DestroyFailed');
  const { service: name, cluster } = target;
  const consent = consentTo(permit, 'replace', `removing service ${name}`);
  const service = await api.describeService(target, 'user', signal);
  if (service === 'cluster-gone')
    return gone(deps, { at, target, consent, message: clusterGone(cluster) }, signal);
  if (service === undefined && deps.mayAppear(target)) {
    return {
      outcome: 'in_progress',
      message: `Waiting to see whether service ${name} appears`,
      lookAgainAfterMs: visibleMs,
    };
  }
  const releasing = await endedReleases(deps, { at, target, consent, service }, signal);
  if (releasing !== undefined) return releasing;
  if (!isThere(service))
    return gone(deps, { at, target, consent, service, message: `there is no service ${name}` }, signal);
  if (!(await isTenants(deps, { at, target, service }, signal))) {
    return { outcome: 'gone', message: `service ${name} is not this tenant's` };
  }
  if (isReached(service)) deps.groups.noteMade(target);
  if (service.status !== 'DRAINING') {
    const drained = await drainService(api, { target, service, consent }, signal);
    if (drained !== undefined && drained !== 'cluster-gone') return drained;
    if (drained === undefined) await endScaling(api, { target, service, consent }, signal);
    const answer = drained ?? (await api.deleteService(target, consent, signal));
    if (answer === 'cluster-gone')
      return gone(deps, { at, target, consent, message: clusterGone(cluster) }, signal);
    if (answer === 'missing' || !isThere(answer)) {
      return gone(deps, { at, target, consent, service, message: `service ${name} was deleted` }, signal);
    }
  }
  return { outcome: 'in_progress', message: `Draining service ${name}`, lookAgainAfterMs: drainLookMs };
}

/** Undefined: none runs. Where there is no service, one that was to be made may have had one. */
async function endedReleases(
  deps: DestroyDeps,
  {
    at,
    target,
    consent,
    service,
  }: Omit<Found, 'service'> & { readonly consent: Consent; readonly service: EcsService | undefined },
  signal: AbortSignal,
): Promise<DestroyResult | undefined> {
  if (service !== undefined && !(tagKeys.release in tagMap(service.tags))) return undefined;
  const ending = await endReleases(deps, { at, target, consent }, signal);
  return ending && { ...ending, outcome: 'in_progress' };
}

interface Found {
  readonly at: TenantPlace;
  readonly target: ServiceTarget;
  readonly service: EcsService;
}

/**
 * A service without marks is the tenant's where it runs the tenant's own task definition, which bears them as well.
 * Rejects with ProviderConflict where only the status knows that it was: whose it is now, nobody can tell.
 */
async function isTenants(
  { api, ownership }: DestroyDeps,
  { at, target, service }: Found,
  signal: AbortSignal,
): Promise<boolean> {
  const whose = whoseService(ownership, at, tagMap(service.tags));
  if (whose !== 'unmarked') return whose === 'tenant';
  const { taskDefinition = '', serviceArn, serviceName } = service;
  if (familyOf(taskDefinition) === overlayFamily(target)) {
    const found = await api.describeTaskDefinition(target.scope, taskDefinition, signal);
    if (found !== undefined && ownership.belongsTo(at, tagMap(found.tags))) return true;
  }
  if (serviceArn === undefined || at.seen?.['service'] !== serviceArn) return false;
  // It goes by itself.
  if (service.status === 'DRAINING') return true;
  throw new ComputeError(
    'ProviderConflict',
    `service ${serviceName} was this tenant's and has lost its owner tags: it is left running. Delete it, or tag it ` +
      Object.entries(ownerTags(ownership, at))
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
  );
}

/** By which it would be known again. The cluster's identity is the admin's to look up. */
function ownerTags(ownership: Ownership, { tenantId, namespace, name }: TenantPlace): Tags {
  const { [ownership.key('tenant_uid')]: _uid, ...tags } = ownership.of({
    tenantId,
    tenant: { namespace, name, uid: '' },
  });
  return { ...tags, [ownership.key('cluster')]: 'UID_OF_NAMESPACE_KUBE_SYSTEM' };
}

function clusterGone(cluster: string): string {
  return `the ECS cluster ${cluster} is gone, and all services with it`;
}

/** The service is gone; its task definitions follow, and what it was reached by. */
async function gone(
  deps: DestroyDeps,
  {
    at,
    target,
    consent,
    message,
    service,
  }: {
    readonly service?: EcsService | undefined;
    readonly at: TenantPlace;
    readonly target: ServiceTarget;
    readonly consent: Consent;
    readonly message: string;
  },
  signal: AbortSignal,
): Promise<DestroyResult> {
  const { api, ownership, groups } = deps;
  const family = overlayFamily(target);
  const left = await deregisterUnused(
    api,
    ownership,
    { scope: target.scope, family, tenant: at, consent, inUse: [], most: deregistrationsAtOnce },
    signal,
  );
  if (left > 0) {
    return {
      outcome: 'in_progress',
      message: `Deregistering the task definitions of ${family}`,
      lookAgainAfterMs: deregisterLookMs,
    };
  }
  if (isReached(service) || isSeenReached(at) || (await groups.mayBeAt(target, signal))) {
    await endGroups(api, { target, tenant: at, ownership }, consent, signal);
    groups.noteGone(target);
  }
  return { outcome: 'gone', message };
}
