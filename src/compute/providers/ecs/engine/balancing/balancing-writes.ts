import type { ActionTypeEnum, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { GroupCheck, ListenerRule } from '../../address/listener-rule.ts';
import type { EcsScope } from '../../address/service-target.ts';
import type { EcsConnection } from '../ecs-connection.ts';
import { EcsRefusal, refusalError } from '../ecs-refusal.ts';
import { askBalancing } from './balancing-ask.ts';
import type { BalancingCall } from './balancing-ask.ts';
import type { BalancingApi, BalancingReads } from './balancing-api.ts';

/** Targets are registered with ports of their own: this one stands for none of them. */
const unusedPort = 80;

type Writes = Omit<BalancingApi, keyof BalancingReads>;
type Ask = <T>(scope: EcsScope, call: BalancingCall<T>, signal: AbortSignal) => Promise<T | EcsRefusal>;

export function balancingWrites(connection: EcsConnection): Writes {
  const ask: Ask = async (scope, call, signal) =>
    askBalancing({ connection, scope, priority: 'user', signal }, call);
  return { ...groupWrites(ask), ...ruleWrites(ask), ...markingWrites(ask), ...removals(ask) };
}

function groupWrites(
  ask: Ask,
): Pick<Writes, 'createTargetGroup' | 'modifyTargetGroup' | 'setDeregistrationDelay'> {
  return {
    async createTargetGroup(
      scope,
      { name, vpc, protocol, protocolVersion, targetType, check, tags },
      signal,
    ) {
      const input = {
        Name: name,
        Protocol: protocol,
        ProtocolVersion: protocolVersion,
        Port: unusedPort,
        VpcId: vpc,
        TargetType: targetType,
        ...checkInput(check, protocolVersion === 'GRPC'),
        Tags: tagList(tags),
      };
      const answer = await ask(
        scope,
        {
          action: 'CreateTargetGroup',
          send: (client, { CreateTargetGroupCommand }, options) =>
            client.send(new CreateTargetGroupCommand(input), options),
        },
        signal,
      );
      if (!(answer instanceof EcsRefusal)) return answer.TargetGroups?.[0]?.TargetGroupArn ?? '';
      throw refusalError(answer, 'ProvisionFailed');
    },
    async modifyTargetGroup(scope, { arn, check, isGrpc }, _consent, signal) {
      const input = { TargetGroupArn: arn, ...checkInput(check, isGrpc) };
      const answer = await ask(
        scope,
        {
          action: 'ModifyTargetGroup',
          send: (client, { ModifyTargetGroupCommand }, options) =>
            client.send(new ModifyTargetGroupCommand(input), options),
        },
        signal,
      );
      doneOr(answer, {});
    },
    async setDeregistrationDelay(scope, { arn, delay }, _consent, signal) {
      const attribute = { Key: 'deregistration_delay.timeout_seconds', Value: String(delay) };
      const input = { TargetGroupArn: arn, Attributes: [attribute] };
      const answer = await ask(
        scope,
        {
          action: 'ModifyTargetGroupAttributes',
          send: (client, { ModifyTargetGroupAttributesCommand }, options) =>
            client.send(new ModifyTargetGroupAttributesCommand(input), options),
        },
        signal,
      );
      doneOr(answer, {});
    },
  };
}

function ruleWrites(ask: Ask): Pick<Writes, 'createRule' | 'modifyRule'> {
  return {
    async createRule(scope, { listener, tags, ...rule }, signal) {
      const input = {
        ListenerArn: listener,
        Priority: rule.priority,
        ...ruleInput(rule),
        Tags: tagList(tags),
      };
      const answer = await ask(
        scope,
        {
          action: 'CreateRule',
          isRepeatable: false,
          send: (client, { CreateRuleCommand }, options) =>
            client.send(new CreateRuleCommand(input), options),
        },
        signal,
      );
      return doneOr(answer, { taken: /^PriorityInUse/, missing: /^ListenerNotFound/ });
    },
    async modifyRule(scope, { arn, ...rule }, _consent, signal) {
      const input = { RuleArn: arn, ...ruleInput(rule) };
      const answer = await ask(
        scope,
        {
          action: 'ModifyRule',
          send: (client, { ModifyRuleCommand }, options) =>
            client.send(new ModifyRuleCommand(input), options),
        },
        signal,
      );
      return doneOr(answer, { missing: /^RuleNotFound/ });
    },
  };
}

function markingWrites(ask: Ask): Pick<Writes, 'setRulePriority' | 'tagRule'> {
  return {
    async setRulePriority(scope, { arn, priority }, _consent, signal) {
      const input = { RulePriorities: [{ RuleArn: arn, Priority: priority }] };
      const answer = await ask(
        scope,
        {
          action: 'SetRulePriorities',
          send: (client, { SetRulePrioritiesCommand }, options) =>
            client.send(new SetRulePrioritiesCommand(input), options),
        },
        signal,
      );
      return doneOr(answer, { taken: /^PriorityInUse/, missing: /^RuleNotFound/ });
    },
    async tagRule(scope, arn, tags, signal) {
      const input = { ResourceArns: [arn], Tags: tagList(tags) };
      const answer = await ask(
        scope,
        {
          action: 'AddTags',
          send: (client, { AddTagsCommand }, options) => client.send(new AddTagsCommand(input), options),
        },
        signal,
      );
      doneOr(answer, {});
    },
  };
}

function removals(ask: Ask): Pick<Writes, 'deleteRule' | 'deleteTargetGroup'> {
  return {
    async deleteRule(scope, arn, _consent, signal) {
      const answer = await ask(
        scope,
        {
          action: 'DeleteRule',
          send: (client, { DeleteRuleCommand }, options) =>
            client.send(new DeleteRuleCommand({ RuleArn: arn }), options),
        },
        signal,
      );
      doneOr(answer, { missing: /^RuleNotFound/ });
    },
    async deleteTargetGroup(scope, arn, _consent, signal) {
      const answer = await ask(
        scope,
        {
          action: 'DeleteTargetGroup',
          send: (client, { DeleteTargetGroupCommand }, options) =>
            client.send(new DeleteTargetGroupCommand({ TargetGroupArn: arn }), options),
        },
        signal,
      );
      const end = doneOr(answer, { 'in-use': /^ResourceInUse/, missing: /^TargetGroupNotFound/ });
      return end === 'in-use' ? end : 'done';
    },
  };
}

/** What callers decide on, by the names of the refusals. Throws UpdateFailed, or InvalidSpec, for others. */
function doneOr<End extends string>(
  answer: unknown,
  ends: Readonly<Partial<Record<End, RegExp>>>,
): End | 'done' {
  if (!(answer instanceof EcsRefusal)) return 'done';
  const found = (Object.entries(ends) as [End, RegExp][]).find(([, name]) => name.test(answer.name));
  if (found === undefined) throw refusalError(answer, 'UpdateFailed');
  return found[0];
}

function checkInput(check: GroupCheck, isGrpc: boolean) {
  return {
    HealthCheckProtocol: check.protocol as 'HTTP' | 'HTTPS',
    HealthCheckPath: check.path,
    HealthCheckPort: check.port,
    HealthCheckIntervalSeconds: check.interval,
    HealthCheckTimeoutSeconds: check.timeout,
    HealthyThresholdCount: check.healthyThreshold,
    UnhealthyThresholdCount: check.unhealthyThreshold,
    Matcher: isGrpc ? { GrpcCode: check.matcher } : { HttpCode: check.matcher },
  };
}

function ruleInput({ hosts, paths, forwards }: Pick<ListenerRule, 'hosts' | 'paths' | 'forwards'>) {
  const conditions: RuleCondition[] = [
    ...(hosts.length === 0 ? [] : [{ Field: 'host-header', HostHeaderConfig: { Values: [...hosts] } }]),
    ...(paths.length === 0 ? [] : [{ Field: 'path-pattern', PathPatternConfig: { Values: [...paths] } }]),
  ];
  const [only] = forwards;
  const forward: ActionTypeEnum = 'forward';
  const TargetGroups = forwards.map(({ group, weight }) => ({ TargetGroupArn: group, Weight: weight }));
  const action =
    forwards.length === 1 && only !== undefined
      ? { Type: forward, TargetGroupArn: only.group }
      : { Type: forward, ForwardConfig: { TargetGroups } };
  return { Conditions: conditions, Actions: [action] };
}

function tagList(tags: Readonly<Record<string, string>>) {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
