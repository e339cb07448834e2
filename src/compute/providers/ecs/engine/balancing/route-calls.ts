import type * as ElasticLoadBalancing from '@aws-sdk/client-elastic-load-balancing-v2';
import type {
  Action,
  ElasticLoadBalancingV2Client,
  Listener,
  LoadBalancer,
  Rule,
  RuleCondition,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Route } from '../../address/route.ts';
import type { EcsScope } from '../../address/service-target.ts';
import type { EcsConnection } from '../ecs-connection.ts';
import { EcsRefusal, refusalError } from '../ecs-refusal.ts';
import type { Priority } from '../limits/token-queue.ts';
import type { RouteReads } from './route-reads.ts';

/** As many load balancers as one call describes. */
const atOnce = 20;

type Sdk = typeof ElasticLoadBalancing;
type Options = { readonly abortSignal: AbortSignal };

interface Asking {
  readonly connection: EcsConnection;
  readonly scope: EcsScope;
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

/** The SDK's client is loaded with the first call: many operators need none. */
export function routeCalls(connection: EcsConnection): RouteReads {
  return {
    async routesTo(scope, targetGroups, priority, signal) {
      const asking = { connection, scope, priority, signal };
      const routes = new Map<string, Route[]>();
      for (const groups of chunks([...new Set(targetGroups)])) {
        const balancers = await balancersOf(asking, groups);
        for (const [arn, host] of await hostsOf(asking, balancers))
          for (const { group, route } of await routesOf(asking, { arn, host }))
            if (groups.includes(group)) routes.set(group, [...(routes.get(group) ?? []), route]);
      }
      return routes;
    },
  };
}

function chunks<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / atOnce) }, (_, index) =>
    all.slice(index * atOnce, (index + 1) * atOnce),
  );
}

/** Undefined: what was asked for is not there. */
async function ask<T>(
  { connection, scope, priority, signal }: Asking,
  action: string,
  send: (client: ElasticLoadBalancingV2Client, sdk: Sdk, options: Options) => Promise<T>,
): Promise<T | undefined> {
  const answer = await connection.ask(
    {
      scope,
      priority,
      action: `elasticloadbalancing:${action}`,
      family: 'balancerReads',
      isRepeatable: true,
      send: async (_ecs, options, { other }) => {
        const sdk = await import('@aws-sdk/client-elastic-load-balancing-v2');
        return send(other(sdk.ElasticLoadBalancingV2Client), sdk, options);
      },
    },
    signal,
  );
  if (!(answer instanceof EcsRefusal)) return answer;
  if (/NotFound/.test(answer.name)) return undefined;
  throw refusalError(answer, 'ProviderUnavailable');
}

async function balancersOf(asking: Asking, groups: readonly string[]): Promise<readonly string[]> {
  const answer = await ask(
    asking,
    'DescribeTargetGroups',
    (client, { DescribeTargetGroupsCommand }, options) =>
      client.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [...groups] }), options),
  );
  // One that is gone fails the call for all.
  if (answer === undefined && groups.length > 1)
    return [...new Set((await Promise.all(groups.map(async (one) => balancersOf(asking, [one])))).flat())];
  return [...new Set((answer?.TargetGroups ?? []).flatMap(({ LoadBalancerArns = [] }) => LoadBalancerArns))];
}

async function hostsOf(asking: Asking, balancers: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const hosts = new Map<string, string>();
  for (const arns of chunks(balancers))
    for (const { LoadBalancerArn = '', DNSName } of await describedBalancers(asking, arns))
      if (DNSName !== undefined) hosts.set(LoadBalancerArn, DNSName);
  return hosts;
}

async function describedBalancers(asking: Asking, arns: readonly string[]): Promise<readonly LoadBalancer[]> {
  const answer = await ask(
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
}

async function routesOf(
  asking: Asking,
  { arn, host }: { readonly arn: string; readonly host: string },
): Promise<readonly Led[]> {
  const led: Led[] = [];
  for (const listener of await listenersOf(asking, arn)) {
    const { ListenerArn: rule = '', Protocol: protocol = '', Port: port = 0, DefaultActions } = listener;
    const way = { host, protocol, port };
    led.push(...groupsOf(DefaultActions).map((group) => ({ group, route: { ...way, rule } })));
    if (!protocol.startsWith('HTTP')) continue;
    for (const { RuleArn = '', Actions, Conditions, IsDefault } of await rulesOf(asking, rule)) {
      if (IsDefault === true) continue;
      const route = { ...way, rule: RuleArn, ...askedOf(Conditions) };
      led.push(...groupsOf(Actions).map((group) => ({ group, route })));
    }
  }
  return led;
}

async function listenersOf(asking: Asking, LoadBalancerArn: string): Promise<readonly Listener[]> {
  return paged(asking, 'DescribeListeners', async (client, { DescribeListenersCommand }, options, Marker) => {
    const input = { LoadBalancerArn, ...(Marker !== undefined && { Marker }) };
    const { Listeners, NextMarker } = await client.send(new DescribeListenersCommand(input), options);
    return { items: Listeners, next: NextMarker };
  });
}

async function rulesOf(asking: Asking, ListenerArn: string): Promise<readonly Rule[]> {
  return paged(asking, 'DescribeRules', async (client, { DescribeRulesCommand }, options, Marker) => {
    const input = { ListenerArn, ...(Marker !== undefined && { Marker }) };
    const { Rules, NextMarker } = await client.send(new DescribeRulesCommand(input), options);
    return { items: Rules, next: NextMarker };
  });
}

interface Page<T> {
  readonly items: readonly T[] | undefined;
  readonly next: string | undefined;
}

async function paged<T>(
  asking: Asking,
  action: string,
  send: (
    client: ElasticLoadBalancingV2Client,
    sdk: Sdk,
    options: Options,
    marker: string | undefined,
  ) => Promise<Page<T>>,
): Promise<readonly T[]> {
  const all: T[] = [];
  let marker: string | undefined;
  do {
    const from = marker;
    const page = await ask(asking, action, (client, sdk, options) => send(client, sdk, options, from));
    all.push(...(page?.items ?? []));
    marker = page?.next;
  } while (marker !== undefined && marker !== '');
  return all;
}

/** Target groups that get some of what comes. */
function groupsOf(actions: readonly Action[] = []): readonly string[] {
  const groups = actions.flatMap(({ TargetGroupArn, ForwardConfig }) => [
    ...(TargetGroupArn === undefined ? [] : [TargetGroupArn]),
    ...(ForwardConfig?.TargetGroups ?? [])
      .filter(({ Weight = 1 }) => Weight > 0)
      .flatMap((one) => one.TargetGroupArn ?? []),
  ]);
  return [...new Set(groups)];
}

function askedOf(conditions: readonly RuleCondition[] = []): Pick<Route, 'hostHeader' | 'path'> {
  const first = (field: string): string | undefined => {
    const { Values, HostHeaderConfig, PathPatternConfig } =
      conditions.find(({ Field }) => Field === field) ?? {};
    return (HostHeaderConfig ?? PathPatternConfig)?.Values?.[0] ?? Values?.[0];
  };
  const [hostHeader, path] = [first('host-header'), first('path-pattern')];
  return { ...(hostHeader === undefined ? {} : { hostHeader }), ...(path === undefined ? {} : { path }) };
}
