import { describe, expect, test } from 'vitest';
import { checkText, ruleText } from '../../../../../src/compute/providers/ecs/address/listener-rule.ts';
import { balancingCalls } from '../../../../../src/compute/providers/ecs/engine/balancing/balancing-calls.ts';
import { anyConsent } from '../../../permits.ts';
import { never } from '../client-fixture.ts';
import { refusal, scriptedConnection } from '../scripted-connection.ts';

const scope = { region: 'us-west-2' };
const tags = { 'landlord.owner': 'default' };
const Tags = [{ Key: 'landlord.owner', Value: 'default' }];
const check = {
  protocol: 'HTTP',
  path: '/healthz',
  port: 'traffic-port',
  matcher: '200',
  interval: 30,
  timeout: 5,
  healthyThreshold: 5,
  unhealthyThreshold: 2,
};
const asked = {
  HealthCheckProtocol: 'HTTP',
  HealthCheckPath: '/healthz',
  HealthCheckPort: 'traffic-port',
  HealthCheckIntervalSeconds: 30,
  HealthCheckTimeoutSeconds: 5,
  HealthyThresholdCount: 5,
  UnhealthyThresholdCount: 2,
};
const group = {
  name: 'landlord-a-1',
  vpc: 'vpc-1',
  protocol: 'HTTP',
  protocolVersion: 'HTTP1',
  targetType: 'ip',
  check,
  tags,
} as const;
const rule = {
  priority: 7,
  hosts: ['a.example'],
  paths: ['/a', '/b/*'],
  forwards: [{ group: 'tg', weight: 1 }],
};
const Conditions = [
  { Field: 'host-header', HostHeaderConfig: { Values: ['a.example'] } },
  { Field: 'path-pattern', PathPatternConfig: { Values: ['/a', '/b/*'] } },
];
type Calls = ReturnType<typeof balancingCalls>;

const create = (calls: Calls) => calls.createTargetGroup(scope, group, never);
const createRule = (calls: Calls) => calls.createRule(scope, { ...rule, listener: 'l', tags }, never);
const modifyRule = (calls: Calls) => calls.modifyRule(scope, { ...rule, arn: 'r' }, anyConsent, never);
const prioritize = (calls: Calls) =>
  calls.setRulePriority(scope, { arn: 'r', priority: 8 }, anyConsent, never);
const deleteRule = (calls: Calls) => calls.deleteRule(scope, 'r', anyConsent, never);
const deleteGroup = (calls: Calls) => calls.deleteTargetGroup(scope, 'tg', anyConsent, never);

test.each<[action: string, call: (calls: Calls) => unknown, input: object, isRepeatable: boolean]>([
  [
    'CreateTargetGroup',
    create,
    {
      Name: 'landlord-a-1',
      Protocol: 'HTTP',
      ProtocolVersion: 'HTTP1',
      Port: 80,
      VpcId: 'vpc-1',
      TargetType: 'ip',
      ...asked,
      Matcher: { HttpCode: '200' },
      Tags,
    },
    true,
  ],
  [
    'ModifyTargetGroup',
    (calls) => calls.modifyTargetGroup(scope, { arn: 'tg', check, isGrpc: true }, anyConsent, never),
    { TargetGroupArn: 'tg', ...asked, Matcher: { GrpcCode: '200' } },
    true,
  ],
  [
    'ModifyTargetGroupAttributes',
    (calls) => calls.setDeregistrationDelay(scope, { arn: 'tg', delay: 9 }, anyConsent, never),
    { TargetGroupArn: 'tg', Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '9' }] },
    true,
  ],
  [
    'CreateRule',
    createRule,
    { ListenerArn: 'l', Priority: 7, Conditions, Actions: [{ Type: 'forward', TargetGroupArn: 'tg' }], Tags },
    false,
  ],
  [
    'ModifyRule',
    (calls) => {
      const forwards = [...rule.forwards, { group: 'next', weight: 0 }];
      return calls.modifyRule(scope, { ...rule, arn: 'r', forwards }, anyConsent, never);
    },
    {
      RuleArn: 'r',
      Conditions,
      Actions: [
        {
          Type: 'forward',
          ForwardConfig: {
            TargetGroups: [
              { TargetGroupArn: 'tg', Weight: 1 },
              { TargetGroupArn: 'next', Weight: 0 },
            ],
          },
        },
      ],
    },
    true,
  ],
  ['SetRulePriorities', prioritize, { RulePriorities: [{ RuleArn: 'r', Priority: 8 }] }, true],
  ['AddTags', (calls) => calls.tagRule(scope, 'r', tags, never), { ResourceArns: ['r'], Tags }, true],
  ['DeleteRule', deleteRule, { RuleArn: 'r' }, true],
  ['DeleteTargetGroup', deleteGroup, { TargetGroupArn: 'tg' }, true],
])('%s is asked for in these words', async (action, call, input, isRepeatable) => {
  const connection = scriptedConnection([{ TargetGroups: [{ TargetGroupArn: 'tg' }] }]);
  await call(balancingCalls(connection));
  expect(connection.asked).toEqual([
    {
      scope,
      action: `elasticloadbalancing:${action}`,
      family: 'balancing',
      priority: 'user',
      isRepeatable,
      input,
    },
  ]);
});

describe('a look', () => {
  test('at the target groups of a name tells them with their tags, over all pages', async () => {
    const connection = scriptedConnection([
      { TargetGroups: [{ TargetGroupArn: 'tg-1', TargetGroupName: 'other' }], NextMarker: 'more' },
      {
        TargetGroups: [
          { TargetGroupArn: 'tg', TargetGroupName: 'landlord-a-1', ...asked, Matcher: { HttpCode: '200' } },
        ],
      },
      { TagDescriptions: [{ ResourceArn: 'tg', Tags }] },
    ]);
    const [seen, ...more] = await balancingCalls(connection).targetGroups(scope, 'landlord-', never);
    expect(more).toEqual([]);
    expect(seen).toMatchObject({ arn: 'tg', name: 'landlord-a-1', tags });
    expect(seen && checkText(seen.check)).toBe(
      'HTTP /healthz at traffic-port for 200 every 30 s within 5 s, 5 good, 2 bad',
    );
    expect(connection.asked.map(({ input }) => input)).toEqual([
      { PageSize: 400 },
      { PageSize: 400, Marker: 'more' },
      { ResourceArns: ['tg'] },
    ]);
  });

  test('at the rules of a listener tells all but the default one', async () => {
    const arn = 'arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/landlord-a-1/1';
    const connection = scriptedConnection([
      {
        Rules: [
          { RuleArn: 'r', Priority: '7', Conditions, Actions: [{ Type: 'forward', TargetGroupArn: arn }] },
          {
            RuleArn: 'odd',
            Priority: '8',
            Conditions: [{ Field: 'source-ip' }],
            Actions: [{ Type: 'redirect' }],
          },
          { RuleArn: 'default', IsDefault: true, Priority: 'default', Actions: [] },
        ],
      },
      { TagDescriptions: [{ ResourceArn: 'r', Tags }] },
    ]);
    const seen = await balancingCalls(connection).listenerRules(scope, 'l', never);
    expect(seen).toMatchObject([
      { arn: 'r', tags },
      { arn: 'odd', tags: {} },
    ]);
    expect(seen === 'missing' ? [] : seen.map(ruleText)).toEqual([
      'priority 7, host a.example, path /a /b/*, to landlord-a-1',
      'priority 8, and more, to nothing',
    ]);
  });

  test('at a listener that is gone tells that, and costs one call where there are no rules', async () => {
    const gone = scriptedConnection([refusal('ListenerNotFoundException')]);
    expect(await balancingCalls(gone).listenerRules(scope, 'l', never)).toBe('missing');
    const bare = scriptedConnection([{ Rules: [] }]);
    expect(await balancingCalls(bare).listenerRules(scope, 'l', never)).toEqual([]);
    expect(bare.asked).toHaveLength(1);
  });

  test('leaves out the tags of what went away meanwhile', async () => {
    const groups = ['tg-1', 'tg-2'].map((TargetGroupArn) => ({
      TargetGroupArn,
      TargetGroupName: 'landlord-a',
    }));
    const connection = scriptedConnection([
      { TargetGroups: groups },
      refusal('TargetGroupNotFoundException'),
      refusal('TargetGroupNotFoundException'),
      { TagDescriptions: [{ ResourceArn: 'tg-2', Tags }] },
    ]);
    const seen = await balancingCalls(connection).targetGroups(scope, 'landlord-', never);
    expect(seen.map((one) => one.tags)).toEqual([{}, tags]);
  });

  test('at a load balancer tells its VPC', async () => {
    const connection = scriptedConnection([{ LoadBalancers: [{ VpcId: 'vpc-1' }] }]);
    expect(await balancingCalls(connection).vpcOf(scope, 'lb', never)).toBe('vpc-1');
    const gone = balancingCalls(scriptedConnection([refusal('LoadBalancerNotFoundException')]));
    await expect(gone.vpcOf(scope, 'lb', never)).rejects.toMatchObject({ code: 'InvalidSpec' });
  });
});

describe('what Elastic Load Balancing refuses', () => {
  test.each<[call: (calls: Calls) => Promise<unknown>, name: string, end: unknown]>([
    [createRule, 'PriorityInUseException', 'taken'],
    [createRule, 'ListenerNotFoundException', 'missing'],
    [modifyRule, 'RuleNotFoundException', 'missing'],
    [prioritize, 'PriorityInUseException', 'taken'],
    [deleteRule, 'RuleNotFoundException', undefined],
    [deleteGroup, 'TargetGroupNotFoundException', 'done'],
    [deleteGroup, 'ResourceInUseException', 'in-use'],
  ])('is a value where it can be worked with: %o, %s', async (call, name, end) => {
    expect(await call(balancingCalls(scriptedConnection([refusal(name)])))).toBe(end);
  });

  test.each<[call: (calls: Calls) => Promise<unknown>, name: string, text: string, code: string]>([
    [create, 'DuplicateTargetGroupNameException', 'exists', 'ProvisionFailed'],
    [create, 'ValidationError', 'no such VPC', 'InvalidSpec'],
    [createRule, 'TooManyRulesException', 'too many', 'UpdateFailed'],
    [modifyRule, 'ValidationError', 'a condition', 'InvalidSpec'],
  ])('is an error otherwise: %o, %s', async (call, name, text, code) => {
    await expect(call(balancingCalls(scriptedConnection([refusal(name, text)])))).rejects.toMatchObject({
      code,
    });
  });
});
