import type { Service, ServiceEvent, Task } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { keptService, keptTask } from '../../../../../src/compute/providers/ecs/watch/kept.ts';
import { isReturn } from '../../../../../src/compute/providers/ecs/state/rollout.ts';
import {
  changedLately,
  hasStartedSince,
  presentTrouble,
} from '../../../../../src/compute/providers/ecs/state/service-events.ts';
import { ago, clock, deployment, service } from '../observed-fixture.ts';

const network = { awsvpcConfiguration: { subnets: ['subnet-1', 'subnet-2'], securityGroups: ['sg-1'] } };

/** As AWS answers of one: all members that there are, and as many events as it keeps. */
function bulky(events: readonly ServiceEvent[]): Service {
  const one = deployment({
    networkConfiguration: network,
    platformVersion: '1.4.0',
    volumeConfigurations: [],
  });
  return service({
    networkConfiguration: network,
    deploymentConfiguration: { strategy: 'ROLLING' },
    deployments: [one, { ...one, id: 'ecs-svc/1', status: 'ACTIVE' }],
    events: [...events],
    roleArn: 'arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS',
    loadBalancers: [],
    placementConstraints: [],
    createdBy: 'arn:aws:sts::123456789012:assumed-role/landlord/landlord',
  });
}

const messages = [
  'has reached a steady state.',
  'has started 1 tasks: (task 1).',
  'has stopped 1 running tasks: (task 2).',
  '(deployment ecs-svc/2) deployment completed.',
  'rolling back to deployment ecs-svc/2.',
  'rolling back to deployment ecs-svc/1.',
  'was unable to place a task because no container instance met all of its requirements.',
  '(task 3) failed container health checks.',
];
const event = (message: string, seconds: number): ServiceEvent => ({
  id: 'b1f2',
  message: `(service a) ${message}`,
  createdAt: ago(seconds),
});

describe('of a service is kept', () => {
  test('less than 4 KiB, however much ECS tells', () => {
    const events = Array.from({ length: 100 }, (_, index) => event(messages[index % 8] ?? '', 60 * index));
    const answer = bulky(events);
    expect(JSON.stringify(answer).length).toBeGreaterThan(12_000);
    expect(JSON.stringify(keptService(answer)).length).toBeLessThan(4_096);
  });

  test('none of the events that tell nothing of the present', () => {
    const events = Array.from({ length: 100 }, (_, index) =>
      event('has reached a steady state.', 60 * index),
    );
    expect(keptService(bulky(events)).events).toHaveLength(1);
  });

  test('what says the same of it as all that ECS told', () => {
    const said = (one: ReturnType<typeof keptService>) => [
      isReturn(one),
      presentTrouble(one, clock),
      changedLately(one, clock),
      hasStartedSince(one, ago(400).getTime()),
    ];
    // Each order of three of the messages, at three paces.
    for (const seconds of [10, 200, 900])
      for (const first of messages)
        for (const second of messages)
          for (const third of messages) {
            const told = [first, second, third].map((message, at) => event(message, seconds * (at + 1)));
            expect(said(keptService(bulky(told)))).toEqual(said(bulky(told)));
          }
  });
});

test('of a task is kept what is read of it', () => {
  const task: Task = {
    taskArn: 'arn:task',
    taskDefinitionArn: 'arn:definition',
    lastStatus: 'RUNNING',
    overrides: { containerOverrides: [{ name: 'app' }] },
    containers: [{ name: 'app', containerArn: 'arn:container', exitCode: 1 }],
    attachments: [{ id: '1', type: 'eni', status: 'ATTACHED', details: [{ name: 'a', value: 'b' }] }],
  };
  expect(JSON.parse(JSON.stringify(keptTask(task)))).toEqual({
    taskDefinitionArn: 'arn:definition',
    lastStatus: 'RUNNING',
    containers: [{ name: 'app', exitCode: 1 }],
    attachments: [{ type: 'eni', details: [{ name: 'a', value: 'b' }] }],
  });
});
