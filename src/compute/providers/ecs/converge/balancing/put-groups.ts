import type { Effect } from '../../../../../api/status.ts';
import { consentTo } from '../../../../permit.ts';
import type { Consent, Permit } from '../../../../permit.ts';
import { checkText } from '../../address/listener-rule.ts';
import { loadBalancerOf } from '../../address/target-groups.ts';
import type { EcsApi } from '../../engine/ecs-api.ts';
import { isPending, withPendingRules } from '../../state/balancing/compare-rules.ts';
import { shownGroups, withGroups } from '../../state/balancing/known-groups.ts';
import { usualDelay } from '../../state/balancing/own-rules.ts';
import type { DesiredService } from '../../state/desired.ts';
import { isThere } from '../../state/ecs-service.ts';
import type { EcsService } from '../../state/ecs-service.ts';
import { isCompleted } from '../../state/evidence.ts';
import { readMark } from '../../state/marks/applied-mark.ts';
import { tagKeys, tagMap } from '../../state/marks/tags.ts';
import { lookAtGroups, isOfPlace, ownRules, placeTags } from './look-at-groups.ts';
import type { GroupsLook, GroupsPlace } from './look-at-groups.ts';
import { forwardsOf, isSameRule, matchRules, noListener, takenMeanwhile } from './match-rules.ts';
import type { Match } from './match-rules.ts';

export interface GroupsChange {
  readonly desired: DesiredService;
  readonly service: EcsService | undefined;
  readonly permit: Permit;
  /** What it does to what runs. Default: `live`. */
  readonly effect?: Effect;
}

/** What was put right, and what is left of before. */
export interface PutGroups {
  /** With the ARNs of its target groups. */
  readonly desired: DesiredService;
  /** ARNs of rules and target groups that nobody asks for any more. */
  readonly stale: { readonly rules: readonly string[]; readonly groups: readonly string[] };
  /** Whether a rule still leads to a target group of before. */
  readonly isUnfinished: boolean;
  /** The mark of the service, where it was written anew. */
  readonly mark: string | undefined;
}

interface Putting extends GroupsChange {
  readonly api: EcsApi;
  readonly place: GroupsPlace;
  readonly consent: Consent;
  readonly signal: AbortSignal;
}

/**
 * Makes and changes the target groups and rules of the service, in this order: what is there already costs no call. Before the first
 * one is made the service's mark says so. Rejects as `matchRules` does.
 */
export async function putGroups(
  deps: Pick<GroupsPlace, 'ownership'> & { readonly api: EcsApi },
  change: GroupsChange,
  signal: AbortSignal,
): Promise<PutGroups> {
  const { desired, service, permit, effect = 'live' } = change;
  const { target, rules } = desired;
  const place = { target, tenant: desired, ownership: deps.ownership };
  const look = await lookAtGroups(
    deps.api,
    place,
    rules.map(({ listener }) => listener),
    signal,
  );
  const matches = matchRules(place, look, rules);
  const stale = staleOf(look, place, matches);
  const consent = consentTo(permit, effect, `changing the listener rules of service ${target.service}`);
  const putting: Putting = { ...change, api: deps.api, place, consent, signal };
  // A rule is found by the target group that it is for.
  const isNoted = matches.every(({ group }) => group !== undefined) && isNothing(stale);
  const mark = isThere(service) && !isNoted ? await notePending(putting) : undefined;
  const arns: string[] = [];
  let isUnfinished = false;
  for (const match of matches) {
    const arn = await putGroup(putting, match);
    arns.push(arn);
    if (await putRule(putting, match, arn)) isUnfinished = true;
  }
  return { desired: withGroups(desired, arns), stale, isUnfinished, mark };
}

export function isNothing({ rules, groups }: PutGroups['stale']): boolean {
  return rules.length + groups.length === 0;
}

function staleOf(look: GroupsLook, place: GroupsPlace, matches: readonly Match[]): PutGroups['stale'] {
  const rules = ownRules(look, place).filter(({ arn }) => !matches.some(({ seen }) => seen?.arn === arn));
  const groups = look.groups.filter(({ arn }) => !matches.some(({ group }) => group?.arn === arn));
  return { rules: rules.map(({ arn }) => arn), groups: groups.map(({ arn }) => arn) };
}

/** The mark, if it was not so already. */
async function notePending({
  api,
  desired: { target },
  service,
  signal,
}: Putting): Promise<string | undefined> {
  const tags = tagMap(service?.tags);
  const mark = tags[tagKeys.specHash];
  if (mark === undefined || isPending(readMark(tags))) return undefined;
  const value = withPendingRules(mark);
  await api.tagResource(target.scope, service?.serviceArn ?? '', [{ key: tagKeys.specHash, value }], signal);
  return value;
}

/** Its ARN. */
async function putGroup(putting: Putting, { rule, group: seen }: Match): Promise<string> {
  const { api, desired, service, consent, signal } = putting;
  const { target, ownerTags } = desired;
  const { listener, group: own } = rule;
  const { scope } = target;
  const arn = seen?.arn ?? (await createGroup());
  if (seen !== undefined && checkText(seen.check) !== checkText(own.check)) {
    const isGrpc = own.protocolVersion === 'GRPC';
    await api.modifyTargetGroup(scope, { arn, check: own.check, isGrpc }, consent, signal);
  }
  // A look does not tell it: it is set with each edit, and where it may not have been.
  const isEdit = readMark(tagMap(service?.tags)).specHash !== desired.specHash;
  const { deregistrationDelay: delay } = own;
  if (seen === undefined ? delay !== usualDelay : isEdit)
    await api.setDeregistrationDelay(scope, { arn, delay }, consent, signal);
  return arn;

  async function createGroup(): Promise<string> {
    const vpc = await api.vpcOf(scope, loadBalancerOf(listener), signal);
    const tags = { ...placeTags(ownerTags, target), [tagKeys.listener]: listener };
    return api.createTargetGroup(scope, { ...own, vpc, tags }, signal);
  }
}

/** Whether it still leads to a target group of before. */
async function putRule(putting: Putting, match: Match, group: string): Promise<boolean> {
  const { api, place, desired, service, consent, signal } = putting;
  const { target, ownerTags } = desired;
  const { scope } = target;
  const { rule, seen } = match;
  const { priority, hosts, paths, listener } = rule;
  const others = desired.rules.map((one) => one.group.name);
  const forwards = forwardsOf(match, group, { isServing: serves(service, group), others });
  const wanted = { priority, hosts, paths, forwards };
  const tags = placeTags(ownerTags, target);
  if (seen === undefined) {
    const end = await api.createRule(scope, { ...wanted, listener, tags }, signal);
    if (end === 'missing') throw noListener(listener);
    if (end === 'taken') throw takenMeanwhile(rule);
    return false;
  }
  const { arn } = seen;
  if (!isOfPlace(place, seen.tags)) await api.tagRule(scope, arn, tags, signal);
  if (seen.priority !== priority) {
    const end = await api.setRulePriority(scope, { arn, priority }, consent, signal);
    if (end === 'taken') throw takenMeanwhile(rule);
  }
  if (!isSameRule({ ...seen, priority }, wanted))
    await api.modifyRule(scope, { arn, hosts, paths, forwards }, consent, signal);
  return forwards.length > 1;
}

/** Whether its tasks, and no others, answer behind the target group. */
function serves(service: EcsService | undefined, group: string): boolean {
  return isThere(service) && shownGroups(service).includes(group) && isSettled(service);
}

/** Whether no task of before runs, and none can come back. What is not there has none. */
export function isSettled(service: EcsService | undefined): boolean {
  if (!isThere(service)) return true;
  const { deployments = [] } = service;
  return deployments.length <= 1 && isCompleted(deployments[0]);
}
