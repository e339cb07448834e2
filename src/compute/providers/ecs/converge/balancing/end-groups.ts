import { ComputeError } from '../../../../errors.ts';
import type { Consent } from '../../../../permit.ts';
import type { EcsApi } from '../../engine/ecs-api.ts';
import { groupNameIn } from '../../address/target-groups.ts';
import type { EcsScope } from '../../address/service-target.ts';
import { lookAtGroups, ownRules } from './look-at-groups.ts';
import type { GroupsPlace } from './look-at-groups.ts';
import type { PutGroups } from './put-groups.ts';

interface Removing {
  readonly scope: EcsScope;
  readonly consent: Consent;
  readonly failure: 'UpdateFailed' | 'DestroyFailed';
}

/**
 * Rules before the target groups that they lead to, which no task is registered with any more. Rejects with `failure` where a rule
 * or listener that is none of ours leads to one.
 */
export async function removeStale(
  api: Pick<EcsApi, 'deleteRule' | 'deleteTargetGroup'>,
  { rules, groups }: PutGroups['stale'],
  { scope, consent, failure }: Removing,
  signal: AbortSignal,
): Promise<void> {
  for (const rule of rules) await api.deleteRule(scope, rule, consent, signal);
  for (const group of groups) {
    if ((await api.deleteTargetGroup(scope, group, consent, signal)) === 'done') continue;
    throw new ComputeError(
      failure,
      `the target group ${groupNameIn(group)} can't be removed: a rule or a listener that Landlord did not make for it leads to it`,
    );
  }
}

/** All that was made for a service that is gone. Rejects with DestroyFailed. */
export async function endGroups(
  api: EcsApi,
  place: GroupsPlace,
  consent: Consent,
  signal: AbortSignal,
): Promise<void> {
  const look = await lookAtGroups(api, place, [], signal);
  const stale = {
    rules: ownRules(look, place).map(({ arn }) => arn),
    groups: look.groups.map(({ arn }) => arn),
  };
  const { scope } = place.target;
  try {
    await removeStale(api, stale, { scope, consent, failure: 'DestroyFailed' }, signal);
  } catch (error) {
    const isRefused =
      error instanceof ComputeError && (error.code === 'UpdateFailed' || error.code === 'InvalidSpec');
    throw isRefused ? new ComputeError('DestroyFailed', error.message, { cause: error }) : error;
  }
}
