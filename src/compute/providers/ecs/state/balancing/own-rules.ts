import { checkText, ruleText } from '../../address/listener-rule.ts';
import type { GroupCheck, ListenerRule } from '../../address/listener-rule.ts';
import { digestOf } from '../service/setting-marks.ts';

/** A rule of a listener that is made for a service, and the target group that it leads to. */
export interface OwnRule extends Pick<ListenerRule, 'priority' | 'hosts' | 'paths'> {
  /** ARN of the listener. */
  readonly listener: string;
  readonly group: OwnGroup;
}

/** Its name tells what can't be changed of it; see `groupNameOf`. */
export interface OwnGroup {
  readonly name: string;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly protocolVersion: 'HTTP1' | 'HTTP2' | 'GRPC';
  readonly targetType: 'ip' | 'instance';
  readonly check: GroupCheck;
  /** In seconds. */
  readonly deregistrationDelay: number;
}

/** As Elastic Load Balancing has it. In seconds. */
export const usualDelay = 300;

/** The rule as it is to be, with the ARN of its target group, or what stands for it. */
export function wantedRule({ priority, hosts, paths }: OwnRule, group: string): ListenerRule {
  return { priority, hosts, paths, forwards: [{ group, weight: 1 }] };
}

/** Four signs of a mark: of all that is asked for. */
export function rulesDigest(rules: readonly OwnRule[]): string {
  const texts = rules.map((rule) => {
    const { check, deregistrationDelay } = rule.group;
    return JSON.stringify([rule.listener, wantedText(rule), checkText(check), deregistrationDelay]);
  });
  return digestOf(texts.toSorted());
}

export function wantedText(rule: OwnRule): string {
  return ruleText(wantedRule(rule, `targetgroup/${rule.group.name}`));
}

export function rulesText(rules: readonly OwnRule[]): string {
  return rules.length === 0 ? 'none' : rules.map(wantedText).toSorted().join('; ');
}
