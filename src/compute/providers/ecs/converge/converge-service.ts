import { consentTo } from '../../../permit.ts';
import type { StepResult } from '../../../provider.ts';
import { assertOwn } from '../state/assert-own.ts';
import type { Holder } from '../state/assert-own.ts';
import type { DesiredService } from '../state/desired.ts';
import { isThere } from '../state/ecs-service.ts';
import type { EcsService } from '../state/ecs-service.ts';
import { tagList } from '../state/marks/tags.ts';
import type { ScaledService } from '../state/scaling/compare-scaling.ts';
import { lookAtScaling } from './apply-scaling.ts';
import { isReached } from '../state/balancing/compare-rules.ts';
import { withShownGroups } from '../state/balancing/known-groups.ts';
import { createServiceInput } from '../state/service-input.ts';
import { draining, noCluster, visibleMs } from './attempt.ts';
import type { Attempt, ServiceDeps } from './attempt.ts';
import { leaving, reachNew } from './balancing/reach-service.ts';
import { desiredRevision, mostTasks } from './desired-revision.ts';
import { held, holdService } from './hold-service.ts';
import { runRelease } from './run-release.ts';
import { updateService } from './update-service.ts';

/** Takes the next step from what is there towards what is desired. Each look is followed by the writes it calls for. */

export async function convergeService(
  deps: ServiceDeps,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<StepResult> {
  const { hold } = attempt;
  const { service, holder } = await lookAtOwn(deps, attempt.desired, signal);
  if (holder === 'nobody') return takeOver(deps, { attempt, service }, signal);
  if (service?.status === 'DRAINING') return draining(attempt.desired.target);
  if (!isThere(service)) return hold ? held : createService(deps, { attempt, before: service }, signal);
  const desired = withShownGroups(attempt.desired, service);
  // As a look has just found it: that costs no call again.
  const routes = isReached(service) ? await deps.groups.seen(desired, { fresh: true, signal }) : undefined;
  const seen = { attempt: { ...attempt, desired }, service: { ...service, routes } };
  return hold ? holdService(deps, seen, signal) : updateService(deps, seen, signal);
}

interface Looked {
  readonly service: ScaledService | undefined;
  readonly holder: Holder;
}

/** The service, unless it is someone else's: then ProviderConflict. An INACTIVE one is anybody's. */
export async function lookAtOwn(
  { api, ownership }: Pick<ServiceDeps, 'api' | 'ownership'>,
  desired: DesiredService,
  signal: AbortSignal,
): Promise<Looked> {
  const { target } = desired;
  const service = await api.describeService(target, 'user', signal);
  if (service === 'cluster-gone') return { service: undefined, holder: 'tenant' };
  const holder = assertOwn(ownership, desired, { service, stance: desired.foreign });
  if (!isThere(service) || service.status === 'DRAINING') return { service, holder };
  return { service: await lookAtScaling(api, { target, service, priority: 'user' }, signal), holder };
}

/**
 * What bears nobody's marks gets the tenant's, and nothing else is done with it: what it is to have otherwise is the next
 * step's, which is announced as what it is. Whoever tags it at the same moment for another tenant is seen by that.
 */
async function takeOver(
  { api }: ServiceDeps,
  { attempt, service }: { readonly attempt: Attempt; readonly service: EcsService | undefined },
  signal: AbortSignal,
): Promise<StepResult> {
  const { desired, hold } = attempt;
  const { scope, service: name } = desired.target;
  // What waits for consent, or was rejected, is left as it is.
  if (hold || !isThere(service) || desired.foreign !== 'adopt') return held;
  if (service.status === 'DRAINING') return draining(desired.target);
  consentTo(attempt.permit, 'live', `taking over service ${name}`);
  await api.tagResource(scope, service.serviceArn ?? '', tagList(desired.ownerTags), signal);
  const message = `The service ${name} was taken over, as it runs`;
  return { outcome: 'in_progress', message, lookAgainAfterMs: visibleMs };
}

async function createService(
  deps: ServiceDeps,
  { attempt, before }: { readonly attempt: Attempt; readonly before: EcsService | undefined },
  signal: AbortSignal,
): Promise<StepResult> {
  const { api } = deps;
  const { desired } = attempt;
  const { target } = desired;
  const taskDefinition = await desiredRevision(
    deps,
    { ...attempt, tasks: mostTasks(desired, desired.firstCount) },
    signal,
  );
  const releasing = await runRelease(deps, { attempt, service: undefined, taskDefinition }, signal);
  if (releasing !== undefined) return releasing;
  const reached = await reachNew(deps, { attempt, before }, signal);
  deps.noteCreate(target);
  const input = createServiceInput(reached.desired, taskDefinition, before?.createdAt, reached.isLeft);
  const answer = await api.createService(target.scope, input, signal);
  if (answer === 'cluster-gone') throw noCluster(attempt);
  if (answer === 'draining') return draining(target);
  if (answer === 'exists') return adopt(deps, attempt, signal);
  const message = `Service ${target.service} was created`;
  if (reached.isLeft) return leaving(desired);
  if (desired.autoscaling === undefined) return { outcome: 'done', message };
  return {
    outcome: 'in_progress',
    message: `${message}: its autoscaling follows`,
    lookAgainAfterMs: visibleMs,
  };
}

/** Made by a call whose answer was lost, or by another pass, or by somebody else: a look tells. */
async function adopt(deps: ServiceDeps, attempt: Attempt, signal: AbortSignal): Promise<StepResult> {
  const { target } = attempt.desired;
  await lookAtOwn(deps, attempt.desired, signal);
  const message = `Waiting until ECS shows the service ${target.service}`;
  return { outcome: 'in_progress', message, lookAgainAfterMs: visibleMs };
}
