import { ComputeError } from '../../../../errors.ts';
import { ruleText } from '../../address/listener-rule.ts';
import type { Forward, ListenerRule } from '../../address/listener-rule.ts';
import { groupNameIn, groupPrefix } from '../../address/target-groups.ts';
import type { SeenGroup, SeenRule } from '../../engine/balancing/balancing-api.ts';
import type { OwnRule } from '../../state/balancing/own-rules.ts';
import type { Tags } from '../../state/marks/tags.ts';
import { isOfPlace } from './look-at-groups.ts';
import type { GroupsLook, GroupsPlace } from './look-at-groups.ts';

/** A rule that is wanted, and what stands for it already. */
export interface Match {
  readonly rule: OwnRule;
  readonly group: SeenGroup | undefined;
  readonly seen: SeenRule | undefined;
}

/**
 * The one of its priority is a rule's own, if it is the tenant's, also where it was made for the service that the tenant is moving
 * from; else one that leads to its target group. Throws InvalidSpec where the listener is not there, and ProviderConflict where
 * the priority, or the name of the group, is somebody else's.
 */
export function matchRules(
  place: GroupsPlace,
  look: GroupsLook,
  wanted: readonly OwnRule[],
): readonly Match[] {
  const byPriority = wanted.map((rule) => {
    const stranger = look.strangers.find(({ name }) => name === rule.group.name);
    if (stranger !== undefined) throw taken(place, `the target group ${stranger.name}`, stranger.tags, '');
    const seen = rulesAt(look, rule.listener).find(({ priority }) => priority === rule.priority);
    if (seen === undefined || place.ownership.belongsTo(place.tenant, seen.tags)) return seen;
    const what = `the priority ${rule.priority} is taken on ${rule.listener} by a rule that`;
    throw taken(place, what, seen.tags, '. Choose another priority');
  });
  return wanted.map((rule, index) => {
    const group = look.groups.find(({ name }) => name === rule.group.name);
    const leading = rulesAt(look, rule.listener).find(
      (one) => isOfPlace(place, one.tags) && !byPriority.includes(one) && leadsTo(one, group),
    );
    return { rule, group, seen: byPriority[index] ?? leading };
  });
}

function rulesAt({ rules }: GroupsLook, listener: string): readonly SeenRule[] {
  const found = rules.get(listener) ?? [];
  if (found === 'missing') throw noListener(listener);
  return found;
}

function leadsTo({ forwards }: ListenerRule, group: SeenGroup | undefined): boolean {
  return forwards.some((forward) => forward.group === group?.arn);
}

export function noListener(listener: string): ComputeError {
  return new ComputeError(
    'InvalidSpec',
    `spec.computeConfig.ecs.load_balancers: there is no listener ${listener}: name one that is there`,
  );
}

function taken({ ownership, tenant }: GroupsPlace, what: string, tags: Tags, mend: string): ComputeError {
  const whose = ownership.describe(tenant, tags);
  return new ComputeError('ProviderConflict', `${what} ${whose}${mend}`, {
    forLog: ownership.identify(tags),
  });
}

/** Of a rule that was made a moment ago by somebody else. */
export function takenMeanwhile({ listener, priority }: OwnRule): ComputeError {
  return new ComputeError(
    'ProviderConflict',
    `the priority ${priority} is taken on ${listener} by another rule. Choose another priority`,
  );
}

/**
 * Where the rule is to lead. A target group that another one takes the place of gets all requests until the tasks are those of
 * the new one: ECS takes only a group that some rule leads to, and before its tasks are there, nobody would answer. `others`: names
 * of those that are wanted, which take nobody's place.
 */
export function forwardsOf(
  { seen }: Pick<Match, 'seen'>,
  group: string,
  { isServing, others }: { readonly isServing: boolean; readonly others: readonly string[] },
): readonly Forward[] {
  const wanted = { group, weight: 1 };
  const former = ({ group: arn, weight }: Forward): boolean => {
    const name = groupNameIn(arn);
    return weight > 0 && name.startsWith(groupPrefix) && !others.includes(name);
  };
  const before = isServing ? [] : (seen?.forwards ?? []).filter(former);
  if (before.length === 0) return [wanted];
  return [...before.map((forward) => ({ group: forward.group, weight: 1 })), { group, weight: 0 }];
}

export function isSameRule(one: ListenerRule, other: ListenerRule): boolean {
  return ruleText(one) === ruleText(other);
}
