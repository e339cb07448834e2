import { consentTo } from '../../../permit.ts';
import type { StepResult } from '../../../provider.ts';
import { revisionKey } from '../address/arns.ts';
import { isDesiredTaskDefinition } from '../state/compare-revision.ts';
import { diffService, missingTags } from '../state/diff.ts';
import type { ServiceDiff } from '../state/diff.ts';
import { withRulesMark } from '../state/balancing/compare-rules.ts';
import type { ReachedService } from '../state/balancing/compare-rules.ts';
import { withScalingMark } from '../state/scaling/compare-scaling.ts';
import { rolloutOf } from '../state/rollout.ts';
import type { Rollout } from '../state/rollout.ts';
import { rolloutEffect } from '../state/service/compare-settings.ts';
import { startsDeployment, updateServiceInput } from '../state/service-input.ts';
import { readMark } from '../state/marks/applied-mark.ts';
import { notedVersions } from '../state/marks/secrets-mark.ts';
import { serviceTags } from '../state/marks/service-tags.ts';
import { tagKeys, tagList, tagMap } from '../state/marks/tags.ts';
import { draining, drainLookMs, noCluster, visibleMs } from './attempt.ts';
import type { Attempt, ServiceDeps } from './attempt.ts';
import { applyScaling, endScaling } from './apply-scaling.ts';
import { leaveGroups, leaving, reachThere, waitsForTasks } from './balancing/reach-service.ts';
import type { Reached } from './balancing/reach-service.ts';
import { checkNamed, desiredRevision, mostTasks } from './desired-revision.ts';
import { runRelease } from './run-release.ts';

type ServiceUpdate = ReturnType<typeof updateServiceInput>;

export interface Updating {
  readonly attempt: Attempt;
  readonly service: ReachedService;
}

export async function updateService(
  deps: ServiceDeps,
  { attempt, service }: Updating,
  signal: AbortSignal,
): Promise<StepResult> {
  const { desired } = attempt;
  const rollout = rolloutOf(service, desired);
  const diff = diffService(desired, service, rollout.kind === 'failed');
  const isFallen = rollout.deployment?.rolloutState === 'FAILED';
  const again = isFallen && (rollout.kind === 'ours' || (rollout.kind === 'failed' && !rollout.previous));
  if (diff.changes.length === 0 && !again) return { outcome: 'done', message: 'The service is as desired' };
  if (!again && waitsForTasks({ desired, service }, diff)) return leaving(desired);
  const taskDefinition = await admittedRevision(deps, { attempt, service, diff }, signal);
  const releasing = await runRelease(deps, { attempt, service, taskDefinition }, signal);
  if (releasing !== undefined) return releasing;
  if (diff.replace) return replaceService(deps, { attempt, service, diff }, signal);
  const reached = await reachThere(deps, { attempt, service, diff }, signal);
  return applyUpdate(
    deps,
    { attempt, service: reached.service },
    { reached, taskDefinition, rollout, again },
    signal,
  );
}

interface Applying {
  readonly reached: Reached;
  readonly taskDefinition: string;
  readonly rollout: Rollout;
  /** Whether what failed is tried once more. */
  readonly again: boolean;
}

/** Target groups are there by now, and what differs may be another one for it. */
async function applyUpdate(
  deps: ServiceDeps,
  { attempt: asked, service }: Updating,
  { reached, taskDefinition, rollout, again }: Applying,
  signal: AbortSignal,
): Promise<StepResult> {
  const { desired } = reached;
  const attempt = { ...asked, desired };
  const diff = diffService(desired, service, rollout.kind === 'failed');
  const differs = { ...diff.differs, taskDefinition: taskDefinition !== service.taskDefinition };
  const changes = updateServiceInput(desired, differs, taskDefinition);
  const update = again ? { ...changes, forceNewDeployment: true } : changes;
  const isRollout = startsDeployment(differs) || again;
  if (Object.keys(update).length > 0) {
    const waiting = await sendUpdate(deps, attempt, { update, isRollout }, signal);
    if (waiting !== undefined) return waiting;
  }
  if (diff.scaling !== undefined) {
    const { permit } = attempt;
    if ((await applyScaling(deps.api, { desired, permit, service }, signal)) === 'missing')
      return unseen(desired);
  }
  const isLeft = await leaveGroups(deps, { attempt, service, reached, isRollout }, signal);
  const revision = revisionKey(taskDefinition);
  await writeTags(deps, { attempt, service }, { diff, revision, isLeft }, signal);
  return isLeft ? leaving(desired) : { outcome: 'done', message: 'The service was updated' };
}

function unseen({ target: { service } }: Attempt['desired']): StepResult {
  const message = `Waiting until Application Auto Scaling sees the service ${service}`;
  return { outcome: 'in_progress', message, lookAgainAfterMs: visibleMs };
}

/** ARN of what the service is to run, as often as it is to. Rejects as `desiredRevision` does. */
async function admittedRevision(
  deps: ServiceDeps,
  { attempt, service, diff }: Updating & { readonly diff: ServiceDiff },
  signal: AbortSignal,
): Promise<string> {
  const { desired, permit } = attempt;
  const { taskDefinition: current, desiredCount = 0 } = service;
  // What is deleted for it must have a successor that is admitted.
  const wanted = diff.replace ? desired.firstCount : (diff.differs.desiredCount ?? desiredCount);
  const tasks = mostTasks(desired, wanted);
  const isKept =
    !diff.replace && current !== undefined && isDesiredTaskDefinition(desired, current, tagMap(service.tags));
  if (!isKept) return desiredRevision(deps, { desired, permit, tasks }, signal);
  if (tasks > desiredCount) await checkNamed(deps, { desired, taskDefinition: current, tasks }, signal);
  return current;
}

/** Undefined: done. */
async function sendUpdate(
  { api }: ServiceDeps,
  attempt: Attempt,
  { update, isRollout }: { readonly update: ServiceUpdate; readonly isRollout: boolean },
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { scope, cluster, service } = attempt.desired.target;
  const effect = isRollout ? rolloutEffect(attempt.desired) : 'live';
  const consent = consentTo(attempt.permit, effect, `updating service ${service}`);
  const answer = await api.updateService(scope, { cluster, service, ...update }, consent, signal);
  if (answer === 'cluster-gone') throw noCluster(attempt);
  if (answer === 'inactive') return draining(attempt.desired.target);
  if (answer === 'missing') {
    const message = `The service ${service} went away meanwhile: it is made anew`;
    return { outcome: 'in_progress', message, lookAgainAfterMs: visibleMs };
  }
  return undefined;
}

/** After all else: the mark of the desired state says that it was applied. */
async function writeTags(
  { api }: ServiceDeps,
  { attempt: { desired }, service }: Updating,
  {
    diff,
    revision,
    isLeft,
  }: { readonly diff: ServiceDiff; readonly revision: string; readonly isLeft: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { scope } = desired.target;
  const actual = tagMap(service.tags);
  const noted = { ...desired, ...notedVersions(desired, readMark(actual)) };
  const kept = withRulesMark(desired, withScalingMark(desired, diff.kept), isLeft);
  const wanted = serviceTags(noted, revision, kept);
  const arn = service.serviceArn ?? '';
  const marks = [
    ...tagKeys.tagMarks,
    tagKeys.shortMarks,
    tagKeys.taskDefinition,
    tagKeys.drain,
    tagKeys.release,
  ];
  const staleMarks = marks.filter((key) => key in actual && !(key in wanted));
  const untag = [...diff.untag, ...staleMarks];
  if (untag.length > 0) await api.untagResource(scope, arn, untag, signal);
  const tags = tagList(missingTags(wanted, actual));
  if (tags.length > 0) await api.tagResource(scope, arn, tags, signal);
}

/** Under one name there is only one service. Its successor is known to be possible: the task definition is there. */
async function replaceService(
  { api }: ServiceDeps,
  { attempt: { desired, permit }, service, diff }: Updating & { readonly diff: ServiceDiff },
  signal: AbortSignal,
): Promise<StepResult> {
  const { target } = desired;
  const consent = consentTo(permit, 'outage', `replacing service ${target.service}`);
  await endScaling(api, { target, service, consent }, signal);
  await api.deleteService(target, consent, signal);
  const fixed = diff.changes.find(({ effect }) => effect === 'outage');
  return {
    outcome: 'in_progress',
    message:
      `Replacing the service ${target.service}: ECS can't change its ${fixedWords(fixed?.path)} from ${fixed?.actual} to ${fixed?.desired}, ` +
      'so it is drained and made anew. With another service_name the new one would come first',
    lookAgainAfterMs: drainLookMs,
  };
}

/** What can't be changed, as people call it: `schedulingStrategy` as `scheduling strategy`. */
function fixedWords(path = 'launchType'): string {
  return path.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
