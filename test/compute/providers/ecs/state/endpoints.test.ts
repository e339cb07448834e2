import type { Attachment, Service, Task } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import type { ComputeStatusBlock } from '../../../../../src/api/status.ts';
import {
  endpointsOf,
  endpointsStillShown,
  portsOf,
} from '../../../../../src/compute/providers/ecs/state/endpoints.ts';
import { containerSpec } from '../ecs-fixture.ts';
import { ago, deployment, service } from '../observed-fixture.ts';

const http = { name: 'http', port: 80, protocol: 'tcp' } as const;
const privateAddress = 'privateIPv4Address';
const eni = (details: Record<string, string>, type = 'ElasticNetworkInterface'): Attachment => ({
  type,
  details: Object.entries(details).map(([name, value]) => ({ name, value })),
});
const at = (value: string, over: Partial<Task> = {}): Task => ({
  lastStatus: 'RUNNING',
  attachments: [eni({ macAddress: '0e:00', [privateAddress]: value })],
  ...over,
});
const addresses = (tasks: Task[] | undefined): string[] | undefined =>
  endpointsOf(tasks, [http]).endpoints?.map(({ address }) => address);

test('the ports of containers are named by themselves, or after their container', () => {
  const ports = [
    { name: 'web', containerPort: 80, protocol: 'TCP' as const },
    { containerPort: 53, protocol: 'UDP' as const },
  ];
  expect(portsOf([containerSpec('app', { ports }), containerSpec('none')])).toEqual([
    { name: 'web', port: 80, protocol: 'tcp' },
    { name: 'app-53', port: 53, protocol: 'udp' },
  ]);
});

test.each<[what: string, tasks: Task[] | undefined, expected: string[] | undefined]>([
  ['of a task that runs', [at('10.0.0.1')], ['10.0.0.1']],
  ['of none that stopped', [at('10.0.0.1', { lastStatus: 'STOPPED' })], undefined],
  ['of no task', undefined, undefined],
  ['of no task without an interface', [{ lastStatus: 'RUNNING' }], undefined],
  [
    'of an interface by its other name',
    [at('', { attachments: [eni({ [privateAddress]: '10.0.0.2' }, 'eni')] })],
    ['10.0.0.2'],
  ],
  [
    'of no other attachment',
    [at('', { attachments: [eni({ [privateAddress]: '10.0.0.2' }, 'Service Connect')] })],
    undefined,
  ],
  [
    'of the second interface where the first has none',
    [at('', { attachments: [eni({}), eni({ [privateAddress]: '10.0.0.3' })] })],
    ['10.0.0.3'],
  ],
  ['of an interface without details', [at('', { attachments: [{ type: 'eni' }] })], undefined],
  [
    'that is public before the private one',
    [at('', { attachments: [eni({ [privateAddress]: '10.0.0.4', publicIPv4Address: '1.2.3.4' })] })],
    ['1.2.3.4'],
  ],
  [
    'of five at most, in their order',
    ['6', '5', '4', '3', '2', '1'].map((last) => at(`10.0.0.${last}`)),
    ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'],
  ],
])('an endpoint has the address %s', (_what, tasks, expected) => {
  expect(addresses(tasks)).toEqual(expected);
});

test('an endpoint has a URL where it speaks TCP, and there is none without ports', () => {
  const udp = { name: 'dns', port: 53, protocol: 'udp' } as const;
  expect(endpointsOf([at('10.0.0.1')], [http, udp])).toEqual({
    endpoints: [
      { name: 'http', type: 'tcp', address: '10.0.0.1', port: 80, url: 'http://10.0.0.1:80' },
      { name: 'dns', type: 'udp', address: '10.0.0.1', port: 53 },
    ],
  });
  expect(endpointsOf([at('10.0.0.1')], [])).toEqual({});
  expect(endpointsOf([at('10.0.0.1')], undefined)).toEqual({});
});

describe('endpoints that the status shows', () => {
  const endpoints = [{ name: 'http', type: 'tcp', address: '10.0.0.7', port: 80 }];
  const shown: ComputeStatusBlock = {
    state: 'running',
    health: 'healthy',
    running: 2,
    desired: 2,
    endpoints,
    resourceIds: { service: service().serviceArn ?? '', deployment: 'ecs-svc/2' },
    lastTransitionTime: ago(60).toISOString(),
  };
  const started = (seconds: number) => ({
    message: '(service a) has started 1 tasks: (task b).',
    createdAt: ago(seconds),
  });

  test('still hold where the service runs as many tasks of the same deployment, and started none since', () => {
    expect(endpointsStillShown(shown, service(), 0)).toBe(endpoints);
    expect(endpointsStillShown(shown, service({ events: [started(121)] }), 0)).toBe(endpoints);
  });

  test('are dated by our clock, and tasks by that of ECS', () => {
    const dated = { ...shown, lastTransitionTime: ago(60 - 600).toISOString() };
    const restarted = service({ events: [started(30)] });
    expect(endpointsStillShown(dated, restarted, -600_000)).toBeUndefined();
    expect(endpointsStillShown(dated, service({ events: [started(121)] }), -600_000)).toBe(endpoints);
  });

  test.each<[what: string, shown: Partial<ComputeStatusBlock>, service: Partial<Service>]>([
    ['a task was started in the minute before that was written', {}, { events: [started(61)] }],
    ['a task was started since', {}, { events: [started(59)] }],
    ['a task was started, nobody knows when', {}, { events: [{ message: 'has started 1 tasks' }] }],
    [
      'nobody knows since when they are shown',
      { lastTransitionTime: undefined },
      { events: [started(9_999)] },
    ],
    ['another deployment is the newest', {}, { deployments: [deployment({ id: 'ecs-svc/3' })] }],
    ['it is another service', { resourceIds: { service: 'other', deployment: 'ecs-svc/2' } }, {}],
    ['more run', {}, { runningCount: 3 }],
    ['it drains', {}, { status: 'DRAINING' }],
    ['it is gone', {}, { status: 'INACTIVE' }],
    ['it was not healthy', { health: 'unknown' }, {}],
    ['there are none', { endpoints: undefined }, {}],
  ])('are asked for where %s', (_what, overShown, overService) => {
    expect(endpointsStillShown({ ...shown, ...overShown }, service(overService), 0)).toBeUndefined();
  });
});
