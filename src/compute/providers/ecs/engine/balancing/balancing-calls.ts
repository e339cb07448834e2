import type { Rule, Tag, TagDescription, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ComputeError } from '../../../../errors.ts';
import type { EcsConnection } from '../ecs-connection.ts';
import { chunks, pagesOf, readBalancing } from './balancing-ask.ts';
import type { Asking } from './balancing-ask.ts';
import type { BalancingApi, BalancingReads, SeenGroup, SeenRule } from './balancing-api.ts';
import { balancingWrites } from './balancing-writes.ts';
import { describedRules, routeCalls } from './route-calls.ts';
import { shownCheck, shownRule } from './shown-rules.ts';

/** The most that one call describes where it is not told which. */
const groupsInPage = 400;

type TagsByArn = ReadonlyMap<string, Readonly<Record<string, string>>>;

export function balancingCalls(connection: EcsConnection): BalancingApi {
  return { ...routeCalls(connection), ...ruleReads(connection), ...balancingWrites(connection) };
}

function ruleReads(connection: EcsConnection): Omit<BalancingReads, 'routesTo'> {
  const asking = (scope: Asking['scope'], signal: AbortSignal): Asking => ({
    connection,
    scope,
    priority: 'user',
    signal,
  });
  return {
    async targetGroups(scope, prefix, signal) {
      const all = await groupsOf(asking(scope, signal));
      const named = all.filter(({ TargetGroupName = '' }) => TargetGroupName.startsWith(prefix));
      const tags = await tagsOf(
        asking(scope, signal),
        named.map(({ TargetGroupArn = '' }) => TargetGroupArn),
      );
      return named.map((group) => seenGroup(group, tags));
    },
    async listenerRules(scope, listener, signal) {
      const found = await describedRules(asking(scope, signal), listener);
      if (found === undefined) return 'missing';
      const rules = found.filter(({ IsDefault }) => IsDefault !== true);
      const tags = await tagsOf(
        asking(scope, signal),
        rules.map(({ RuleArn = '' }) => RuleArn),
      );
      return rules.map((rule) => seenRule(rule, tags));
    },
    async vpcOf(scope, loadBalancer, signal) {
      const answer = await readBalancing(
        asking(scope, signal),
        'DescribeLoadBalancers',
        (client, { DescribeLoadBalancersCommand }, options) =>
          client.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [loadBalancer] }), options),
      );
      const vpc = answer?.LoadBalancers?.[0]?.VpcId;
      if (vpc !== undefined) return vpc;
      throw new ComputeError('InvalidSpec', `there is no load balancer ${loadBalancer}, or it tells no VPC`);
    },
  };
}

async function groupsOf(asking: Asking): Promise<readonly TargetGroup[]> {
  const found = await pagesOf(asking, {
    action: 'DescribeTargetGroups',
    send: (client, { DescribeTargetGroupsCommand }, options, marker) =>
      client.send(new DescribeTargetGroupsCommand({ PageSize: groupsInPage, ...marker }), options),
    page: ({ TargetGroups, NextMarker }) => ({ items: TargetGroups, next: NextMarker }),
  });
  return found ?? [];
}

async function tagsOf(asking: Asking, arns: readonly string[]): Promise<TagsByArn> {
  const tags = new Map<string, Readonly<Record<string, string>>>();
  for (const some of chunks(arns))
    for (const { ResourceArn = '', Tags } of await describedTags(asking, some))
      tags.set(ResourceArn, tagMap(Tags));
  return tags;
}

async function describedTags(asking: Asking, arns: readonly string[]): Promise<readonly TagDescription[]> {
  const answer = await readBalancing(asking, 'DescribeTags', (client, { DescribeTagsCommand }, options) =>
    client.send(new DescribeTagsCommand({ ResourceArns: [...arns] }), options),
  );
  // One that went away since it was told of fails the call for all.
  if (answer === undefined && arns.length > 1)
    return (await Promise.all(arns.map(async (one) => describedTags(asking, [one])))).flat();
  return answer?.TagDescriptions ?? [];
}

function tagMap(tags: readonly Tag[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

function seenGroup(group: TargetGroup, tags: TagsByArn): SeenGroup {
  const { TargetGroupArn: arn = '', TargetGroupName: name = '' } = group;
  return { arn, name, check: shownCheck(group), tags: tags.get(arn) ?? {} };
}

function seenRule(rule: Rule, tags: TagsByArn): SeenRule {
  const { RuleArn: arn = '' } = rule;
  return { ...shownRule(rule), arn, tags: tags.get(arn) ?? {} };
}
