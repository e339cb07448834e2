import type {
  Action,
  Listener,
  LoadBalancer,
  Rule,
  RuleCondition,
  TargetGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { checkText, ruleText } from '../../address/listener-rule.ts';
import type { GroupCheck } from '../../address/listener-rule.ts';
import type { Route } from '../../address/route.ts';
import { groupNameIn, groupPrefix } from '../../address/target-groups.ts';
import type { EcsConnection } from '../ecs-connection.ts';
import { chunks, pagesOf, readBalancing } from './balancing-ask.ts';
import type { Asking } from './balancing-ask.ts';
import type { RouteReads } from './route-reads.ts';
import { forwardsOf, shownCheck, shownRule, valuesOf } from './shown-rules.ts';

export function routeCalls(connection: EcsConnection): RouteReads {
  return {
    async routesTo(scope, targetGroups, priority, signal) {
      const asking = { connection, scope, priority, signal };
      const routes = new Map<string, Route[]>();
      for (const arns of chunks([...new Set(targetGroups)])) {
        const groups = await describedGroups(asking, arns);
        const checks = new Map(groups.map((group) => [group.TargetGroupArn, shownCheck(group)]));
        const balancers = new Set(groups.flatMap(({ LoadBalancerArns = [] }) => LoadBalancerArns));
        for (const [arn, host] of await hostsOf(asking, [...balancers]))
          for (const { group, route, ...led } of await routesOf(asking, { arn, host })) {
            const check = checks.get(group);
            if (check === undefined) continue;
            routes.set(group, [
              ...(routes.get(group) ?? []),
              { ...route, ...ownParts(group, { ...led, check }) },
            ]);
          }
      }
      return routes;
    },
  };
}

async function describedGroups(asking: Asking, groups: readonly string[]): Promise<readonly TargetGroup[]> {
  const answer = await readBalancing(
    asking,
    'DescribeTargetGroups',
    (client, { DescribeTargetGroupsCommand }, options) =>
      client.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [...groups] }), options),
  );
  // One that is gone fails the call for all.
  if (answer === undefined && groups.length > 1)
    return (await Promise.all(groups.map(async (one) => describedGroups(asking, [one])))).flat();
  return answer?.TargetGroups ?? [];
}

async function hostsOf(asking: Asking, balancers: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const hosts = new Map<string, string>();
  for (const arns of chunks(balancers))
    for (const { LoadBalancerArn = '', DNSName } of await describedBalancers(asking, arns))
      if (DNSName !== undefined) hosts.set(LoadBalancerArn, DNSName);
  return hosts;
}

async function describedBalancers(asking: Asking, arns: readonly string[]): Promise<readonly LoadBalancer[]> {
  const answer = await readBalancing(
    asking,
    'DescribeLoadBalancers',
    (client, { DescribeLoadBalancersCommand }, options) =>
      client.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [...arns] }), options),
  );
  // One that went away since the target groups told of it fails the call for all.
  if (answer === undefined && arns.length > 1)
    return (await Promise.all(arns.map(async (one) => describedBalancers(asking, [one])))).flat();
  return answer?.LoadBalancers ?? [];
}

interface Led {
  readonly group: string;
  readonly route: Route;
  readonly listener: string;
  /** Undefined: the listener's default action leads there. */
  readonly rule?: Rule;
}

/** Of a target group that Landlord has made, what is compared: nobody else's is anybody's business. */
function ownParts(
  group: string,
  { listener, rule, check }: Pick<Led, 'listener' | 'rule'> & { readonly check: GroupCheck },
): Pick<Route, 'listener' | 'text' | 'check'> {
  if (!groupNameIn(group).startsWith(groupPrefix)) return {};
  const text = rule === undefined ? 'all of the listener' : ruleText(shownRule(rule));
  return { listener, text, check: checkText(check) };
}

async function routesOf(
  asking: Asking,
  { arn, host }: { readonly arn: string; readonly host: string },
): Promise<readonly Led[]> {
  const led: Led[] = [];
  for (const listener of await listenersOf(asking, arn)) {
    const { ListenerArn: at = '', Protocol: protocol = '', Port: port = 0, DefaultActions } = listener;
    const way = { host, protocol, port };
    led.push(
      ...groupsOf(DefaultActions).map((group) => ({ group, route: { ...way, rule: at }, listener: at })),
    );
    if (!protocol.startsWith('HTTP')) continue;
    for (const rule of await rulesOf(asking, at)) {
      const { RuleArn = '', Actions, Conditions, IsDefault } = rule;
      if (IsDefault === true) continue;
      const route = { ...way, rule: RuleArn, ...askedOf(Conditions) };
      led.push(...groupsOf(Actions).map((group) => ({ group, route, listener: at, rule })));
    }
  }
  return led;
}

async function listenersOf(asking: Asking, LoadBalancerArn: string): Promise<readonly Listener[]> {
  const found = await pagesOf(asking, {
    action: 'DescribeListeners',
    send: (client, { DescribeListenersCommand }, options, marker) =>
      client.send(new DescribeListenersCommand({ LoadBalancerArn, ...marker }), options),
    page: ({ Listeners, NextMarker }) => ({ items: Listeners, next: NextMarker }),
  });
  return found ?? [];
}

async function rulesOf(asking: Asking, ListenerArn: string): Promise<readonly Rule[]> {
  return (await describedRules(asking, ListenerArn)) ?? [];
}

/** Undefined: there is no such listener. */
export async function describedRules(
  asking: Asking,
  ListenerArn: string,
): Promise<readonly Rule[] | undefined> {
  return pagesOf(asking, {
    action: 'DescribeRules',
    send: (client, { DescribeRulesCommand }, options, marker) =>
      client.send(new DescribeRulesCommand({ ListenerArn, ...marker }), options),
    page: ({ Rules, NextMarker }) => ({ items: Rules, next: NextMarker }),
  });
}

/** Target groups that get some of what comes. */
function groupsOf(actions: readonly Action[] = []): readonly string[] {
  const groups = actions.flatMap(forwardsOf).filter(({ weight }) => weight > 0);
  return [...new Set(groups.map(({ group }) => group))];
}

function askedOf(conditions: readonly RuleCondition[] = []): Pick<Route, 'hostHeader' | 'path'> {
  const [hostHeader, path] = [
    valuesOf(conditions, 'host-header')[0],
    valuesOf(conditions, 'path-pattern')[0],
  ];
  return { ...(hostHeader === undefined ? {} : { hostHeader }), ...(path === undefined ? {} : { path }) };
}
