import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  DeleteRuleCommand,
  DescribeRulesCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect, test, vi } from 'vitest';
import { startMoto } from '../../../../../dev/ecs-endpoint.ts';
import { callAsRoot } from '../as-root.ts';
import { never } from '../client-fixture.ts';
import { settled, tenantSpec } from '../ecs-fixture.ts';
import { ecsOnTheWire } from '../ecs-on-the-wire.ts';

callAsRoot();

async function setUp(stack: AsyncDisposableStack) {
  const allowed = { allowed_listeners: ['*'], allowed_host_headers: ['*.example'] };
  const wire = await ecsOnTheWire(stack, () => startMoto({ running: 1 }), {}, allowed);
  const { region, subnets } = wire.fixture;
  const elb = new ElasticLoadBalancingV2Client({ endpoint: wire.endpoint.url, region });
  stack.defer(() => elb.destroy());
  const made = await elb.send(new CreateLoadBalancerCommand({ Name: 'shared', Subnets: [...subnets] }));
  const { LoadBalancerArn, DNSName: host = '' } = made.LoadBalancers?.[0] ?? {};
  const fixed = { StatusCode: '404', ContentType: 'text/plain', MessageBody: 'nobody' };
  const { Listeners } = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn,
      Protocol: 'HTTP',
      Port: 8080,
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: fixed }],
    }),
  );
  const listener = Listeners?.[0]?.ListenerArn ?? '';
  const rulesOf = async () => {
    const { Rules = [] } = await elb.send(new DescribeRulesCommand({ ListenerArn: listener }));
    return Rules.filter(({ IsDefault }) => IsDefault !== true);
  };
  const groups = async () => (await elb.send(new DescribeTargetGroupsCommand({}))).TargetGroups ?? [];
  const spec = (rule: object, group: object = {}) =>
    tenantSpec({
      ...wire.config,
      load_balancers: [
        {
          listener_rule: { listener_arn: listener, priority: 10, ...rule },
          target_group: group,
          container_name: 'app',
          container_port: 8080,
        },
      ],
    });
  return { ...wire, elb, host, listener, rulesOf, groups, spec };
}

/** ministack tells of no target group which load balancer leads to it. */
test('over the wire, a rule and its target group are made, changed, put back and removed', async () => {
  await using stack = new AsyncDisposableStack();
  const { elb, host, listener, rulesOf, groups, spec, provider, restarted } = await setUp(stack);
  const shop = spec({ host_header: ['shop.example'] });
  await provider.provision(shop, never);
  const [group] = await groups();
  expect(group).toMatchObject({ Protocol: 'HTTP', TargetType: 'ip', HealthCheckPath: '/' });
  expect(await rulesOf()).toMatchObject([{ Priority: '10' }]);
  const seen = await settled(provider, shop);
  expect(seen.changes).toEqual([]);
  expect(seen.compute.resourceIds).toMatchObject({ targetGroup: group?.TargetGroupArn });
  expect(seen.compute.endpoints).toMatchObject([{ url: 'http://shop.example:8080' }]);

  const edited = spec(
    { path_pattern: ['/api/*'], host_header: ['www.example'], priority: 20 },
    { health_check: { path: '/healthz' }, deregistration_delay: 15 },
  );
  await provider.update(edited, never);
  expect(await rulesOf()).toMatchObject([{ Priority: '20' }]);
  expect(await groups()).toMatchObject([
    { TargetGroupArn: group?.TargetGroupArn, HealthCheckPath: '/healthz' },
  ]);
  const { Attributes } = await elb.send(
    new DescribeTargetGroupAttributesCommand({ TargetGroupArn: group?.TargetGroupArn }),
  );
  expect(Attributes).toContainEqual({ Key: 'deregistration_delay.timeout_seconds', Value: '15' });
  const again = await settled(provider, edited);
  expect(again.changes).toEqual([]);
  expect(again.compute.endpoints).toMatchObject([{ url: 'http://www.example:8080/api/' }]);

  const [{ RuleArn } = {}] = await rulesOf();
  await elb.send(new DeleteRuleCommand({ RuleArn }));
  const next = restarted();
  const lost = await next.getStatus(edited, { fresh: true, signal: never });
  expect(lost.changes).toMatchObject([{ path: 'listenerRules', cause: 'drift', actual: 'none' }]);
  await next.update(edited, never);
  expect(await rulesOf()).toMatchObject([{ Priority: '20' }]);
  expect((await settled(next, edited)).changes).toEqual([]);

  const foreign = await elb.send(
    new CreateRuleCommand({
      ListenerArn: listener,
      Priority: 30,
      Conditions: [{ Field: 'path-pattern', Values: ['/theirs'] }],
      Actions: [{ Type: 'redirect', RedirectConfig: { Host: host, StatusCode: 'HTTP_302' } }],
    }),
  );
  await expect(
    next.update(spec({ host_header: ['shop.example'], priority: 30 }), never),
  ).rejects.toMatchObject({
    code: 'ProviderConflict',
  });

  await vi.waitFor(async () => expect((await next.destroy(edited, never)).outcome).toBe('gone'), {
    timeout: 30_000,
    interval: 200,
  });
  expect(await groups()).toEqual([]);
  expect((await rulesOf()).map((rule) => rule.RuleArn)).toEqual(foreign.Rules?.map((rule) => rule.RuleArn));
}, 120_000);
