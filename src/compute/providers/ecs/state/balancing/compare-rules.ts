import type { Route } from '../../address/route.ts';
import { checkText } from '../../address/listener-rule.ts';
import { groupNameIn, groupPrefixOf } from '../../address/target-groups.ts';
import type { DesiredService } from '../desired.ts';
import type { EcsService } from '../ecs-service.ts';
import type { ScaledService } from '../scaling/compare-scaling.ts';
import { readMark } from '../marks/applied-mark.ts';
import type { AppliedMark } from '../marks/applied-mark.ts';
import { tagKeys, tagMap } from '../marks/tags.ts';
import type { Difference } from '../service/difference.ts';
import { rulesCode as code } from '../service/service-fields.ts';
import { marksText } from '../service/setting-marks.ts';
import type { SettingMarks } from '../service/setting-marks.ts';
import { lacksGroups, shownGroups } from './known-groups.ts';
import { rulesDigest, rulesText, wantedText } from './own-rules.ts';
import type { OwnRule } from './own-rules.ts';

/**
 * The rules that are made for a service, by what the service's mark says, and by what Elastic Load Balancing told last. The
 * mark says that there may be some before there are, so that whoever removes the service knows.
 */

/** A service, and the ways to its target groups, by their ARNs. Undefined: they are not known. */
export interface ReachedService extends ScaledService {
  readonly routes?: ReadonlyMap<string, readonly Route[]> | undefined;
}

/** No digest: something is to be made, or what was is to be removed. */
const pending = 'new';

export interface RulesDifference extends Difference {
  /** Whether others changed what was applied. */
  readonly isDrift: boolean;
}

type Wanting = Pick<DesiredService, 'rules' | 'target' | 'settings'>;

/** Undefined: all is as desired, as far as it was looked at. */
export function compareRules(
  desired: Wanting,
  service: ReachedService,
  { settings }: Pick<AppliedMark, 'settings'>,
): RulesDifference | undefined {
  const { rules } = desired;
  const { routes } = service;
  const marked = settings[code];
  if (rules.length === 0 && marked === undefined) return undefined;
  const isApplied = rules.length > 0 && marked === rulesDigest(rules);
  const other = routes === undefined ? undefined : firstOther(rules, routes);
  if (isApplied && other === undefined) return undefined;
  return {
    path: 'listenerRules',
    desired: other?.desired ?? rulesText(rules),
    actual: other?.actual ?? (marked === undefined ? 'none' : 'another one'),
    effect: isReplacing(desired, service) ? 'gap' : 'live',
    isDrift: isApplied,
  };
}

/** Between the last task of one target group and the first moment that a rule leads to the next one, nobody answers. */
function isReplacing(desired: Wanting, service: ReachedService): boolean {
  const prefix = groupPrefixOf(desired.target);
  const wanted = new Set(desired.rules.map(({ group }) => group.name));
  const names = shownGroups(service).map(groupNameIn);
  return lacksGroups(desired) && names.some((name) => name.startsWith(prefix) && !wanted.has(name));
}

/** How the first that is not as it should be differs. */
function firstOther(
  rules: readonly OwnRule[],
  routes: ReadonlyMap<string, readonly Route[]>,
): { readonly desired: string; readonly actual: string } | undefined {
  const known = new Map([...routes].map(([arn, ways]) => [groupNameIn(arn), ways]));
  for (const rule of rules) {
    const ways = known.get(rule.group.name);
    // What nobody was asked about, or told nothing of, differs from nothing.
    if (ways === undefined || ways.some(({ text }) => text === undefined)) continue;
    const texts = ways.filter(({ listener }) => listener === rule.listener).map(({ text = '' }) => text);
    const desired = wantedText(rule);
    if (!texts.includes(desired)) return { desired, actual: texts.toSorted()[0] ?? 'none' };
    const check = checkText(rule.group.check);
    const actual = ways.find((way) => way.check !== undefined)?.check ?? check;
    if (actual !== check) return { desired: check, actual };
  }
  return undefined;
}

/** Whether there may be rules or target groups that were made for the service. */
export function isReached(service: EcsService | undefined): boolean {
  return service !== undefined && code in readMark(tagMap(service.tags)).settings;
}

export function isPending({ settings }: Pick<AppliedMark, 'settings'>): boolean {
  return settings[code] === pending;
}

/** The mark as it is, but for that something is made next. */
export function withPendingRules(mark: string): string {
  const { settings } = readMark({ [tagKeys.specHash]: mark });
  const others = mark.split(' ').filter((part) => !part.startsWith('set='));
  return [...others, `set=${marksText({ ...settings, [code]: pending })}`].join(' ');
}

/** Settings as they are marked once all was applied; `isLeft`: but for what is to be removed. */
export function withRulesMark(
  { rules }: Pick<DesiredService, 'rules'>,
  settings: SettingMarks,
  isLeft: boolean,
): SettingMarks {
  const { [code]: _before, ...others } = settings;
  if (isLeft) return { ...others, [code]: pending };
  return rules.length === 0 ? others : { ...others, [code]: rulesDigest(rules) };
}
