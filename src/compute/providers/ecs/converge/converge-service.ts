import type { StepResult } from '../../../provider.ts';
import { assertOwn } from '../state/assert-own.ts';
import type { DesiredService } from '../state/desired.ts';
import { isThere } from '../state/ecs-service.ts';
import type { EcsService } from '../state/ecs-service.ts';
import { createServiceInput } from '../state/service-input.ts';
import { draining, noCluster, visibleMs } from './attempt.ts';
import type { Attempt, ServiceDeps } from './attempt.ts';
import { desiredRevision } from './desired-revision.ts';
import { held, holdService } from './hold-service.ts';
import { runRelease } from './run-release.ts';
import { updateService } from './update-service.ts';

/** Takes the next step from what is there towards what is desired. Each look is followed by the writes it calls for. */

export async function convergeService(
  deps: ServiceDeps,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<StepResult> {
  const { desired, hold } = attempt;
  const service = await lookAtOwn(deps, desired, signal);
  if (service?.status === 'DRAINING') return draining(desired.target);
  if (hold) return isThere(service) ? holdService(deps, { attempt, service }, signal) : held;
  return isThere(service)
    ? updateService(deps, { attempt, service }, signal)
    : createService(deps, { attempt, before: service }, signal);
}

/** The service, unless it is someone else's: then ProviderConflict. An INACTIVE one is anybody's. */
export async function lookAtOwn(
  { api, ownership }: Pick<ServiceDeps, 'api' | 'ownership'>,
  desired: DesiredService,
  signal: AbortSignal,
): Promise<EcsService | undefined> {
  const { target } = desired;
  const service = await api.describeService(target, 'user', signal);
  if (service === 'cluster-gone') return undefined;
  assertOwn(ownership, desired, service);
  return service;
}

async function createService(
  deps: ServiceDeps,
  { attempt, before }: { readonly attempt: Attempt; readonly before: EcsService | undefined },
  signal: AbortSignal,
): Promise<StepResult> {
  const { api } = deps;
  const { desired } = attempt;
  const { target } = desired;
  const taskDefinition = await desiredRevision(deps, { ...attempt, tasks: desired.firstCount }, signal);
  if (desired.release !== undefined) {
    const releasing = await runRelease(deps, { attempt, service: undefined, taskDefinition }, signal);
    if (releasing !== undefined) return releasing;
  }
  deps.noteCreate(target);
  const input = createServiceInput(desired, taskDefinition, before?.createdAt);
  const answer = await api.createService(target.scope, input, signal);
  if (answer === 'cluster-gone') throw noCluster(attempt);
  if (answer === 'draining') return draining(target);
  if (answer === 'exists') return adopt(deps, attempt, signal);
  return { outcome: 'done', message: `Service ${target.service} was created` };
}

/** Made by a call whose answer was lost, or by another pass, or by somebody else: a look tells. */
async function adopt(deps: ServiceDeps, attempt: Attempt, signal: AbortSignal): Promise<StepResult> {
  const { target } = attempt.desired;
  await lookAtOwn(deps, attempt.desired, signal);
  const message = `Waiting until ECS shows the service ${target.service}`;
  return { outcome: 'in_progress', message, lookAgainAfterMs: visibleMs };
}
