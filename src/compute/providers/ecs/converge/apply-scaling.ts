import { ComputeError } from '../../../errors.ts';
import { consentTo } from '../../../permit.ts';
import type { Consent, Permit } from '../../../permit.ts';
import type { EcsApi, ReadPriority } from '../engine/ecs-api.ts';
import type { ServiceTarget } from '../address/service-target.ts';
import type { DesiredService } from '../state/desired.ts';
import type { EcsService } from '../state/ecs-service.ts';
import { readMark } from '../state/marks/applied-mark.ts';
import { tagKeys, tagMap } from '../state/marks/tags.ts';
import { isScaled, withPendingMark } from '../state/scaling/compare-scaling.ts';
import type { ScaledService } from '../state/scaling/compare-scaling.ts';
import { seenScaling } from '../state/scaling/seen-scaling.ts';
import { isSamePolicy, policyInput } from '../state/scaling/scaling.ts';
import type { OwnScaling, ScalingPolicy, ShownScaling } from '../state/scaling/scaling.ts';

/** The service with what Application Auto Scaling knows of it, which is asked where the service's mark says that it may. */
export async function lookAtScaling<S extends EcsService>(
  api: Pick<EcsApi, 'describeScaling'>,
  { target, service, priority }: { target: ServiceTarget; service: S; priority: ReadPriority },
  signal: AbortSignal,
): Promise<S & ScaledService> {
  if (!isScaled(service)) return service;
  return { ...service, scaling: seenScaling(await api.describeScaling(target, priority, signal)) };
}

export interface ScalingChange {
  readonly desired: DesiredService;
  readonly permit: Permit;
  readonly service: ScaledService;
}

/**
 * Makes, changes or removes the scalable target and the policies that are ours, one by one: what is there already costs no
 * call. 'missing': Application Auto Scaling does not see the service yet, or it went away.
 */
export async function applyScaling(
  api: EcsApi,
  { desired, permit, service }: ScalingChange,
  signal: AbortSignal,
): Promise<'done' | 'missing'> {
  const { target, autoscaling } = desired;
  const consent = consentTo(permit, 'live', `changing the autoscaling of service ${target.service}`);
  const shown = service.scaling ?? seenScaling(await api.describeScaling(target, 'user', signal));
  if (autoscaling === undefined) {
    await removeScaling(api, { target, shown, consent }, signal);
    return 'done';
  }
  await notePending(api, { desired, service }, signal);
  return putScaling(api, { target, autoscaling, shown, consent }, signal);
}

interface Putting {
  readonly target: ServiceTarget;
  readonly autoscaling: OwnScaling;
  readonly shown: ShownScaling;
  readonly consent: Consent;
}

async function putScaling(
  api: EcsApi,
  { target, autoscaling, shown, consent }: Putting,
  signal: AbortSignal,
): Promise<'done' | 'missing'> {
  const before = shown === 'none' ? undefined : shown;
  if (before?.min !== autoscaling.min || before.max !== autoscaling.max) {
    const answer = await api.registerScalableTarget(target, autoscaling, consent, signal);
    if (answer === 'missing') return answer;
  }
  const ours = new Map((before?.policies ?? []).map((policy) => [policy.name, policy]));
  for (const policy of autoscaling.policies) {
    if (isSamePolicy(policy, ours.get(policy.name))) continue;
    const answer = await api.putScalingPolicy(target, policyInput(policy), consent, signal);
    if (answer === 'missing') return answer;
  }
  const wanted = new Set(autoscaling.policies.map(({ name }) => name));
  await deletePolicies(
    api,
    { target, policies: [...ours.values()].filter(({ name }) => !wanted.has(name)), consent },
    signal,
  );
  return 'done';
}

/** It stands on the service before there is anything to remove with it. */
async function notePending(
  api: EcsApi,
  { desired, service }: Pick<ScalingChange, 'desired' | 'service'>,
  signal: AbortSignal,
): Promise<void> {
  const mark = tagMap(service.tags)[tagKeys.specHash];
  if (isScaled(service) || mark === undefined) return;
  const value = withPendingMark(mark, readMark({ [tagKeys.specHash]: mark }).settings);
  const tag = { key: tagKeys.specHash, value };
  await api.tagResource(desired.target.scope, service.serviceArn ?? '', [tag], signal);
}

/** What others have put on the scalable target keeps it. */
async function removeScaling(
  api: EcsApi,
  {
    target,
    shown,
    consent,
  }: { readonly target: ServiceTarget; readonly shown: ShownScaling; readonly consent: Consent },
  signal: AbortSignal,
): Promise<void> {
  if (shown === 'none') return;
  if (shown.foreign.length === 0) await api.deregisterScalableTarget(target, consent, signal);
  else await deletePolicies(api, { target, policies: shown.policies, consent }, signal);
}

async function deletePolicies(
  api: EcsApi,
  {
    target,
    policies,
    consent,
  }: {
    readonly target: ServiceTarget;
    readonly policies: readonly ScalingPolicy[];
    readonly consent: Consent;
  },
  signal: AbortSignal,
): Promise<void> {
  for (const { name } of policies) await api.deleteScalingPolicy(target, name, consent, signal);
}

/**
 * Before its service is scaled to 0 or deleted: it would scale it up again, or be the next one's of that name. Rejects with
 * DestroyFailed.
 */
export async function endScaling(
  api: EcsApi,
  { target, service, consent }: { target: ServiceTarget; service: EcsService; consent: Consent },
  signal: AbortSignal,
): Promise<void> {
  if (!isScaled(service)) return;
  try {
    await api.deregisterScalableTarget(target, consent, signal);
  } catch (error) {
    const isRefused =
      error instanceof ComputeError && (error.code === 'UpdateFailed' || error.code === 'InvalidSpec');
    throw isRefused ? new ComputeError('DestroyFailed', error.message, { cause: error }) : error;
  }
}
