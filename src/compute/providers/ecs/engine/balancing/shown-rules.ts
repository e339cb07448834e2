import type { Action, Rule, RuleCondition, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Forward, GroupCheck, ListenerRule } from '../../address/listener-rule.ts';

/** What Elastic Load Balancing answers of rules and target groups, in our words. */

export function shownRule({ Priority, Conditions = [], Actions = [] }: Rule): ListenerRule {
  const forwards = Actions.flatMap(forwardsOf);
  const isMore =
    Conditions.some((condition) => !isKnown(condition)) ||
    Actions.length !== 1 ||
    Actions[0]?.Type !== 'forward';
  return {
    priority: Number(Priority),
    hosts: valuesOf(Conditions, 'host-header'),
    paths: valuesOf(Conditions, 'path-pattern'),
    forwards,
    ...(isMore ? { isMore } : {}),
  };
}

/** Target groups of an action, with those that get nothing. */
export function forwardsOf({ TargetGroupArn, ForwardConfig }: Action): readonly Forward[] {
  const weighted = (ForwardConfig?.TargetGroups ?? []).flatMap(({ TargetGroupArn: group, Weight = 1 }) =>
    group === undefined ? [] : [{ group, weight: Weight }],
  );
  return weighted.length > 0 || TargetGroupArn === undefined
    ? weighted
    : [{ group: TargetGroupArn, weight: 1 }];
}

export function valuesOf(conditions: readonly RuleCondition[], field: string): readonly string[] {
  return conditions
    .filter(({ Field }) => Field === field)
    .flatMap(({ Values, HostHeaderConfig, PathPatternConfig }) => {
      const config = HostHeaderConfig ?? PathPatternConfig;
      return config?.Values ?? Values ?? [];
    });
}

function isKnown({ Field, HostHeaderConfig, PathPatternConfig }: RuleCondition): boolean {
  const regexes = [HostHeaderConfig, PathPatternConfig].flatMap((config) => config?.RegexValues ?? []);
  return (Field === 'host-header' || Field === 'path-pattern') && regexes.length === 0;
}

export function shownCheck(group: TargetGroup): GroupCheck {
  return {
    protocol: group.HealthCheckProtocol ?? '',
    path: group.HealthCheckPath ?? '',
    port: group.HealthCheckPort ?? '',
    matcher: group.Matcher?.HttpCode ?? group.Matcher?.GrpcCode ?? '',
    interval: group.HealthCheckIntervalSeconds ?? 0,
    timeout: group.HealthCheckTimeoutSeconds ?? 0,
    healthyThreshold: group.HealthyThresholdCount ?? 0,
    unhealthyThreshold: group.UnhealthyThresholdCount ?? 0,
  };
}
