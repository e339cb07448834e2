import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect, test } from 'vitest';
import { createEcsFixture } from '../../../../../dev/ecs-endpoint-fixture.ts';
import { startMoto } from '../../../../../dev/ecs-endpoint.ts';
import { callAsRoot } from '../as-root.ts';
import { never, testClient } from '../client-fixture.ts';

callAsRoot();

test('over the wire, a target group is reached by the listener and the rule that lead to it', async () => {
  await using stack = new AsyncDisposableStack();
  const endpoint = await startMoto({ running: 1 });
  stack.defer(() => endpoint.stop());
  const fixture = await createEcsFixture(endpoint.url);
  stack.defer(() => fixture.close());
  const { region, subnets } = fixture;
  const elb = new ElasticLoadBalancingV2Client({ endpoint: endpoint.url, region });
  stack.defer(() => elb.destroy());
  const made = await elb.send(new CreateLoadBalancerCommand({ Name: 'shared', Subnets: [...subnets] }));
  const LoadBalancerArn = made.LoadBalancers?.[0]?.LoadBalancerArn ?? '';
  const VpcId = made.LoadBalancers?.[0]?.VpcId;
  const group = async (Name: string): Promise<string> => {
    const input = { Name, Protocol: 'HTTP', Port: 80, VpcId, TargetType: 'ip' } as const;
    const { TargetGroups } = await elb.send(new CreateTargetGroupCommand(input));
    return TargetGroups?.[0]?.TargetGroupArn ?? '';
  };
  const [web, api, lone] = [await group('web'), await group('api'), await group('lone')];
  const { Listeners } = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn,
      Protocol: 'HTTP',
      Port: 8080,
      DefaultActions: [{ Type: 'forward', TargetGroupArn: web }],
    }),
  );
  await elb.send(
    new CreateRuleCommand({
      ListenerArn: Listeners?.[0]?.ListenerArn,
      Priority: 1,
      Conditions: [{ Field: 'host-header', Values: ['api.example'] }],
      Actions: [{ Type: 'forward', TargetGroupArn: api }],
    }),
  );
  const { LoadBalancers } = await elb.send(new DescribeLoadBalancersCommand({}));
  const host = LoadBalancers?.[0]?.DNSName;

  const ecs = testClient({ endpoint: endpoint.url });
  stack.defer(() => ecs.close());
  const routes = await ecs.routesTo({ region }, [web, api, lone], 'user', never);
  expect(routes.get(web)).toMatchObject([{ host, protocol: 'HTTP', port: 8080 }]);
  expect(routes.get(api)).toMatchObject([{ host, protocol: 'HTTP', port: 8080, hostHeader: 'api.example' }]);
  expect(routes.get(lone) ?? []).toEqual([]);
});
