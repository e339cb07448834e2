import { expect, test } from 'vitest';
import type { Route } from '../../../../../src/compute/providers/ecs/address/route.ts';
import {
  listenerEndpoints,
  targetGroupsOf,
} from '../../../../../src/compute/providers/ecs/state/service/listener-endpoints.ts';

const route = (over: Partial<Route> = {}): Route => ({
  rule: 'r',
  host: 'lb.example',
  protocol: 'HTTP',
  port: 80,
  ...over,
});
const balancer = {
  targetGroupArn: 'blue',
  containerName: 'app',
  containerPort: 8080,
  advancedConfiguration: undefined,
};
const ports = [{ name: 'http', port: 8080, protocol: 'tcp' as const }];
const shown = (routes: readonly Route[], over: object = {}) =>
  listenerEndpoints({ loadBalancers: [{ ...balancer, ...over }] }, ports, (group) =>
    group === 'blue' ? routes : [],
  );

test.each<[what: string, over: Partial<Route>, url: string | undefined]>([
  ['its usual port', {}, 'http://lb.example'],
  ['another port', { port: 8443, protocol: 'HTTPS' }, 'https://lb.example:8443'],
  [
    'the host that its rule asks for',
    { protocol: 'HTTPS', port: 443, hostHeader: 'a.example' },
    'https://a.example',
  ],
  ['no host where that stands for many', { hostHeader: '*.example' }, 'http://lb.example'],
  ['its path', { path: '/api' }, 'http://lb.example/api'],
  ['as much of its path as is sure', { path: '/api/*' }, 'http://lb.example/api/'],
  ['no path where it is all of them', { path: '/*' }, 'http://lb.example'],
  ['TLS', { protocol: 'TLS', port: 443 }, 'https://lb.example'],
  ['TCP', { protocol: 'TCP', port: 5432 }, 'http://lb.example:5432'],
  ['no URL by UDP', { protocol: 'UDP', port: 53 }, undefined],
])('a listener is shown with %s', (_what, over, url) => {
  const [endpoint] = shown([route(over)]);
  expect(endpoint?.url).toBe(url);
  expect(endpoint?.name).toBe('http');
});

test('each URL is shown once, those by TLS first, and no more than five', () => {
  const many = [
    route(),
    route({ rule: 'other' }),
    route({ protocol: 'HTTPS', port: 443 }),
    ...[1, 2, 3, 4, 5].map((port) => route({ port })),
  ];
  expect(shown(many).map(({ url }) => url)).toEqual([
    'https://lb.example',
    'http://lb.example',
    'http://lb.example:1',
    'http://lb.example:2',
    'http://lb.example:3',
  ]);
});

test('of two colours both are asked about, and the way of tests is shown to nobody', () => {
  const advancedConfiguration = {
    alternateTargetGroupArn: 'green',
    productionListenerRule: 'r',
    testListenerRule: 't',
    roleArn: 'role',
  };
  expect(targetGroupsOf({ loadBalancers: [{ ...balancer, advancedConfiguration }, balancer] })).toEqual([
    'blue',
    'green',
  ]);
  const routes = [route(), route({ rule: 't', port: 8080 })];
  expect(shown(routes, { advancedConfiguration }).map(({ url }) => url)).toEqual(['http://lb.example']);
});

test('a port without a name is called by its container', () => {
  const [endpoint] = listenerEndpoints({ loadBalancers: [balancer] }, [], () => [route()]);
  expect(endpoint?.name).toBe('app-8080');
});
