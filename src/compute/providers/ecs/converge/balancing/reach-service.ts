import { consentTo } from '../../../../permit.ts';
import type { StepResult } from '../../../../provider.ts';
import type { Attempt, ServiceDeps } from '../attempt.ts';
import { isPending, isReached } from '../../state/balancing/compare-rules.ts';
import { lacksGroups, shownGroups } from '../../state/balancing/known-groups.ts';
import type { DesiredService } from '../../state/desired.ts';
import type { ServiceDiff } from '../../state/diff.ts';
import type { EcsService } from '../../state/ecs-service.ts';
import { readMark } from '../../state/marks/applied-mark.ts';
import { tagKeys, tagList, tagMap } from '../../state/marks/tags.ts';
import { removeStale } from './end-groups.ts';
import { isNothing, isSettled, putGroups } from './put-groups.ts';
import type { PutGroups } from './put-groups.ts';

/** The target groups of a step, before it and after it. */

/** How often it is looked whether the tasks of before are gone, in milliseconds: a rollout takes minutes. */
const leavingLookMs = 10_000;

/** What is there of them, and is to be there no more. Undefined: nothing was looked at. */
export interface Reached {
  readonly desired: DesiredService;
  readonly put: PutGroups | undefined;
}

/**
 * Before a service is made; `before`: one of its name that is gone. What is left of that goes once the new one is there: ECS may not
 * show one yet that was made a moment ago. Rejects as `putGroups` does.
 */
export async function reachNew(
  deps: ServiceDeps,
  {
    attempt: { desired, permit },
    before,
  }: { readonly attempt: Attempt; readonly before: EcsService | undefined },
  signal: AbortSignal,
): Promise<Reached & { readonly isLeft: boolean }> {
  const { target, rules } = desired;
  if (rules.length === 0 && !isReached(before) && !(await deps.groups.mayBeAt(target, signal)))
    return { desired, put: undefined, isLeft: false };
  if (rules.length > 0) deps.groups.noteMade(target);
  const put = await putGroups(deps, { desired, service: undefined, permit }, signal);
  deps.groups.changed(target);
  return { desired: put.desired, put, isLeft: put.isUnfinished || !isNothing(put.stale) };
}

/** Before a service is changed, where its rules are not as they should be, as far as that is known. Rejects as `putGroups` does. */
export async function reachThere<S extends EcsService>(
  deps: ServiceDeps,
  {
    attempt: { desired, permit },
    service,
    diff,
  }: { readonly attempt: Attempt; readonly service: S; readonly diff: ServiceDiff },
  signal: AbortSignal,
): Promise<Reached & { readonly service: S }> {
  if (diff.rules === undefined && !lacksGroups(desired)) return { desired, put: undefined, service };
  if (desired.rules.length > 0) deps.groups.noteMade(desired.target);
  try {
    const put = await putGroups(
      deps,
      { desired, service, permit, effect: diff.rules?.effect ?? 'live' },
      signal,
    );
    return { desired: put.desired, put, service: withMark(service, put.mark) };
  } finally {
    deps.groups.changed(desired.target);
  }
}

/** Whoever writes the mark next goes by what it says now. */
function withMark<S extends EcsService>(service: S, mark: string | undefined): S {
  if (mark === undefined) return service;
  return { ...service, tags: tagList({ ...tagMap(service.tags), [tagKeys.specHash]: mark }) };
}

/**
 * After a service was changed: what it is no longer reached by goes once none of its tasks is registered there. Whether something
 * is left. Rejects with UpdateFailed where somebody else uses it.
 */
export async function leaveGroups(
  deps: ServiceDeps,
  {
    attempt: { desired, permit },
    service,
    reached: { put },
    isRollout,
  }: {
    readonly attempt: Attempt;
    readonly service: EcsService;
    readonly reached: Reached;
    readonly isRollout: boolean;
  },
  signal: AbortSignal,
): Promise<boolean> {
  if (put === undefined) return isPending(readMark(tagMap(service.tags)));
  const { stale, isUnfinished } = put;
  if (isNothing(stale)) return isUnfinished;
  const shown = shownGroups(service);
  if (isRollout || !isSettled(service) || stale.groups.some((group) => shown.includes(group))) return true;
  const { scope, service: name } = desired.target;
  const consent = consentTo(permit, 'live', `removing target groups of service ${name}`);
  await removeStale(deps.api, stale, { scope, consent, failure: 'UpdateFailed' }, signal);
  if (desired.rules.length === 0) deps.groups.noteGone(desired.target);
  return isUnfinished;
}

/** Where all was applied, and only tasks of before are in the way: nobody need be asked until they are gone. */
export function waitsForTasks(
  { desired, service }: { readonly desired: DesiredService; readonly service: EcsService },
  { changes, applied }: ServiceDiff,
): boolean {
  const isAll = changes.every(({ path }) => path === 'listenerRules') && !lacksGroups(desired);
  return applied === 'this' && isAll && isPending(readMark(tagMap(service.tags))) && !isSettled(service);
}

export function leaving({ target: { service } }: DesiredService): StepResult {
  return {
    outcome: 'in_progress',
    message: `The service ${service} was updated: what it was reached by before goes with its tasks of before`,
    lookAgainAfterMs: leavingLookMs,
  };
}
