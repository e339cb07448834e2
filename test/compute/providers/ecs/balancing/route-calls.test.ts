import { expect, test } from 'vitest';
import { routeCalls } from '../../../../../src/compute/providers/ecs/engine/balancing/route-calls.ts';
import { never } from '../client-fixture.ts';
import { refusal, scriptedConnection } from '../scripted-connection.ts';
import type { ScriptedConnection } from '../scripted-connection.ts';

const scope = { region: 'us-west-2' };
const forward = (TargetGroupArn: string) => ({ Type: 'forward', TargetGroupArn });

const ask = async (connection: ScriptedConnection, ...groups: string[]) =>
  Object.fromEntries(await routeCalls(connection).routesTo(scope, groups, 'sweep', never));
const actions = ({ asked }: ScriptedConnection) => asked.map(({ action, input }) => [action, input]);

test('a target group is reached by the listeners and rules that forward to it', async () => {
  const connection = scriptedConnection([
    { TargetGroups: [{ TargetGroupArn: 'tg-a', LoadBalancerArns: ['lb'] }] },
    { LoadBalancers: [{ LoadBalancerArn: 'lb', DNSName: 'lb.example' }] },
    {
      Listeners: [
        { ListenerArn: 'l-80', Protocol: 'HTTP', Port: 80, DefaultActions: [{ Type: 'redirect' }] },
        { ListenerArn: 'l-443', Protocol: 'HTTPS', Port: 443, DefaultActions: [forward('tg-other')] },
      ],
      NextMarker: 'more',
    },
    { Listeners: [{ ListenerArn: 'l-9', Protocol: 'TLS', Port: 9, DefaultActions: [forward('tg-a')] }] },
    { Rules: [] },
    {
      Rules: [
        {
          RuleArn: 'r-1',
          Conditions: [
            { Field: 'host-header', HostHeaderConfig: { Values: ['shop.example', 'www.shop.example'] } },
            { Field: 'path-pattern', Values: ['/api/*'] },
          ],
          Actions: [
            {
              Type: 'forward',
              ForwardConfig: {
                TargetGroups: [
                  { TargetGroupArn: 'tg-a', Weight: 1 },
                  { TargetGroupArn: 'tg-b', Weight: 0 },
                ],
              },
            },
          ],
        },
        { RuleArn: 'r-default', IsDefault: true, Actions: [forward('tg-other')] },
      ],
    },
  ]);
  expect(await ask(connection, 'tg-a', 'tg-b')).toEqual({
    'tg-a': [
      {
        rule: 'r-1',
        host: 'lb.example',
        protocol: 'HTTPS',
        port: 443,
        hostHeader: 'shop.example',
        path: '/api/*',
      },
      { rule: 'l-9', host: 'lb.example', protocol: 'TLS', port: 9 },
    ],
  });
  expect(actions(connection)).toEqual([
    ['elasticloadbalancing:DescribeTargetGroups', { TargetGroupArns: ['tg-a', 'tg-b'] }],
    ['elasticloadbalancing:DescribeLoadBalancers', { LoadBalancerArns: ['lb'] }],
    ['elasticloadbalancing:DescribeListeners', { LoadBalancerArn: 'lb' }],
    ['elasticloadbalancing:DescribeListeners', { LoadBalancerArn: 'lb', Marker: 'more' }],
    ['elasticloadbalancing:DescribeRules', { ListenerArn: 'l-80' }],
    ['elasticloadbalancing:DescribeRules', { ListenerArn: 'l-443' }],
  ]);
  expect(new Set(connection.asked.map(({ family, priority }) => `${family} ${priority}`))).toEqual(
    new Set(['balancing sweep']),
  );
});

test('one that is not there, or has no load balancer, is reached by none', async () => {
  const gone = scriptedConnection([refusal('TargetGroupNotFoundException', 'not found')]);
  expect(await ask(gone, 'tg-a')).toEqual({});
  const lone = scriptedConnection([{ TargetGroups: [{ TargetGroupArn: 'tg-a', LoadBalancerArns: [] }] }]);
  expect(await ask(lone, 'tg-a')).toEqual({});
});

test('one that is gone takes those that it is asked for with no way', async () => {
  const connection = scriptedConnection([
    refusal('TargetGroupNotFoundException', 'not found'),
    { TargetGroups: [{ TargetGroupArn: 'tg-a', LoadBalancerArns: ['lb'] }] },
    refusal('TargetGroupNotFoundException', 'not found'),
    { LoadBalancers: [{ LoadBalancerArn: 'lb', DNSName: 'lb.example' }] },
    { Listeners: [{ ListenerArn: 'l', Protocol: 'TCP', Port: 9, DefaultActions: [forward('tg-a')] }] },
  ]);
  expect(Object.keys(await ask(connection, 'tg-a', 'tg-gone'))).toEqual(['tg-a']);
});

test('a load balancer that goes meanwhile takes no other one with it', async () => {
  const connection = scriptedConnection([
    {
      TargetGroups: [
        { TargetGroupArn: 'tg-a', LoadBalancerArns: ['lb'] },
        { TargetGroupArn: 'tg-b', LoadBalancerArns: ['lb-gone'] },
      ],
    },
    refusal('LoadBalancerNotFoundException', 'not found'),
    { LoadBalancers: [{ LoadBalancerArn: 'lb', DNSName: 'lb.example' }] },
    refusal('LoadBalancerNotFoundException', 'not found'),
    { Listeners: [{ ListenerArn: 'l', Protocol: 'TCP', Port: 9, DefaultActions: [forward('tg-a')] }] },
  ]);
  expect(Object.keys(await ask(connection, 'tg-a', 'tg-b'))).toEqual(['tg-a']);
});

test('no call has more than AWS takes', async () => {
  const connection = scriptedConnection([{}, {}]);
  await ask(connection, ...Array.from({ length: 25 }, (_, index) => `tg-${index}`));
  expect(
    connection.asked.map(({ input }) => (input as { TargetGroupArns: string[] }).TargetGroupArns.length),
  ).toEqual([20, 5]);
});

test('what is refused otherwise is told', async () => {
  const connection = scriptedConnection([refusal('InvalidConfigurationRequestException', 'it is odd')]);
  await expect(ask(connection, 'tg-a')).rejects.toMatchObject({
    message: expect.stringContaining('it is odd'),
  });
});
