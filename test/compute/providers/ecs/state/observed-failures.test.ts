import type { Deployment, Service, Task } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { observe } from '../../../../../src/compute/providers/ecs/state/observed.ts';
import { containerSpec, settings, tenantSpec } from '../ecs-fixture.ts';
import { baseArn } from '../memory-ecs.ts';
import { ago, clock, deployment, desired, oldArn, service, stopped } from '../observed-fixture.ts';

const unpulled = stopped({
  stopCode: 'TaskFailedToStart',
  stoppedReason: 'CannotPullContainerError: not found',
  containers: [{ name: 'app', image: 'app:9' }],
});
const crashed = (seconds: number): Task =>
  stopped({ stoppedAt: ago(seconds), containers: [{ name: 'app', exitCode: 3 }] });
const running = (count: number, over: Partial<Service> = {}): Service =>
  service({ runningCount: count, deployments: [deployment({ runningCount: count })], ...over });
const fallen = (over: Partial<Deployment> = {}): Deployment =>
  deployment({ rolloutState: 'FAILED', rolloutStateReason: 'tasks failed to start', ...over });
const back = (over: Partial<Deployment> = {}): Partial<Service> => ({
  taskDefinition: oldArn,
  deployments: [
    deployment({ id: 'ecs-svc/1', taskDefinition: oldArn }),
    fallen({ status: 'ACTIVE', ...over }),
  ],
});

describe('a service that runs', () => {
  test('is there, is counted, differs in nothing, and was not rolled back', () => {
    expect(observe(desired, { service: service() }, clock)).toEqual({
      exists: true,
      changes: [],
      compute: {
        state: 'running',
        health: 'healthy',
        running: 2,
        desired: 2,
        resourceIds: expect.any(Object),
      },
    });
  });

  test('whose counts ECS leaves out has none', () => {
    const bare = service({ runningCount: undefined, desiredCount: undefined });
    const { compute } = observe(undefined, { service: bare }, clock);
    expect(compute).toMatchObject({ state: 'stopped', running: 0, desired: 0 });
  });

  test('nobody wants is observed without a comparison, whatever became of its rollout', () => {
    const { changes, rolledBack, compute } = observe(
      undefined,
      { service: service({ deployments: [fallen()] }) },
      clock,
    );
    expect({ changes, rolledBack, state: compute.state }).toEqual({
      changes: [],
      rolledBack: undefined,
      state: 'running',
    });
  });
});

describe('a task that failed', () => {
  test.each<[running: number, seconds: number, state: string, health: string]>([
    [2, 29.999, 'starting', 'unhealthy'],
    [2, 30, 'running', 'healthy'],
    [1, 299.999, 'starting', 'unhealthy'],
    [1, 300, 'starting', 'unknown'],
    [0, 3_600, 'failed', 'unhealthy'],
  ])('is news where %i of 2 run and it was %i s ago: %s, %s', (count, seconds, state, health) => {
    const seen = observe(desired, { service: running(count), tasks: [crashed(seconds)] }, clock);
    expect(seen.compute).toMatchObject({ state, health });
    expect(seen.imageUnavailable).toBeUndefined();
  });

  test('is old news the sooner, the sooner a rollout settles', () => {
    const seen = observe(
      desired,
      { service: running(2), tasks: [crashed(10)] },
      { ...clock, settleMs: 1_000 },
    );
    expect(seen.compute).toMatchObject({ state: 'running', health: 'healthy' });
  });

  test('is looked after less often than one that starts', () => {
    const told = (tasks: Task[]) => observe(desired, { service: running(0), tasks }, clock).lookAgainAfterMs;
    expect([told([crashed(1)]), told([])]).toEqual([10_000, 3_000]);
  });
});

describe('an image that can’t be pulled', () => {
  const both = [deployment({ runningCount: 0 }), deployment({ status: 'ACTIVE', runningCount: 0 })];
  test.each<[what: string, there: Service, tasks: Task[], isTold: boolean]>([
    ['nothing runs and nothing ran', running(0), [unpulled], true],
    ['ECS names no deployments', running(0, { deployments: undefined }), [unpulled], true],
    ['ECS names no count', running(0, { runningCount: undefined }), [unpulled], true],
    ['some run', running(1), [unpulled], false],
    ['something ran before it', running(0, { deployments: both }), [unpulled], false],
    ['it is something else', running(0), [crashed(1)], false],
  ])('is a matter of the registry where %s', (_what, there, tasks, isTold) => {
    const { imageUnavailable } = observe(desired, { service: there, tasks }, clock);
    expect(imageUnavailable).toBe(
      isTold ? "image app:9 can't be pulled: CannotPullContainerError: not found" : undefined,
    );
  });
});

describe('a rollout that failed', () => {
  test.each<[running: number, expected: object]>([
    [2, { state: 'running', health: 'healthy', looks: undefined }],
    [1, { state: 'starting', health: 'unhealthy', looks: 10_000 }],
    [0, { state: 'failed', health: 'unhealthy', looks: 10_000 }],
  ])('and left %i of 2 tasks of the one before is told as what runs', (count, expected) => {
    const there = service({ ...back(), runningCount: count });
    const { compute, lookAgainAfterMs: looks } = observe(desired, { service: there, tasks: [] }, clock);
    expect({ state: compute.state, health: compute.health, looks }).toEqual(expected);
  });

  test.each<[what: string, there: Partial<Service>, tasks: Task[], reason: string, message: string]>([
    [
      'an exit',
      back(),
      [crashed(1)],
      'RolledBack',
      'the deployment of tenant-app:12 failed: container app exited with code 3; ECS went back to tenant-app:11',
    ],
    [
      'what ECS says, where no task tells',
      back(),
      [],
      'RolledBack',
      'the deployment of tenant-app:12 failed: tasks failed to start; ECS went back to tenant-app:11',
    ],
    [
      'no more than that, where ECS says nothing',
      back({ rolloutStateReason: undefined }),
      [],
      'RolledBack',
      'the deployment of tenant-app:12 failed: its tasks did not come up; ECS went back to tenant-app:11',
    ],
    [
      'an image, where ECS names one',
      back({ rolloutStateReason: 'unable to resolve image digest' }),
      [],
      'ImageUnavailable',
      "the deployment of tenant-app:12 failed: image of the task definition can't be pulled: unable to resolve image digest; ECS went back to tenant-app:11",
    ],
  ])('is explained by %s', (_what, there, tasks, reason, message) => {
    const seen = observe(desired, { service: service(there), tasks }, clock);
    expect(seen.rolledBack).toEqual({ reason, message });
  });

  test('for an image names those of the spec', () => {
    const spec = tenantSpec(
      {},
      { containers: [containerSpec('a', { image: 'a:1' }), containerSpec('b', { image: 'b:1' })] },
    );
    const overlaid = desireService(spec, settings());
    const tags = [
      { key: 'landlord.spec_hash', value: overlaid.specHash },
      { key: 'landlord.task_definition', value: `${overlaid.overlay?.hash} own:7` },
    ];
    const own = baseArn.replace('tenant-app:12', 'own:7');
    const why = { taskDefinition: own, rolloutStateReason: 'unable to resolve image digest' };
    const seen = observe(overlaid, { service: service({ ...back(why), tags }) }, clock);
    expect(seen.rolledBack?.message).toBe(
      "the deployment of own:7 failed: image a:1, b:1 can't be pulled: unable to resolve image digest; ECS went back to tenant-app:11",
    );
  });

  test.each<[what: string, there: Partial<Service>, changes: object[]]>([
    [
      'which is to be done again where there is nothing to go back to',
      { deployments: [fallen()] },
      [{ path: 'deployment', desired: 'COMPLETED', actual: 'FAILED', cause: 'spec', effect: 'replace' }],
    ],
    [
      'which is another task definition where ECS went back',
      back(),
      [
        {
          path: 'taskDefinition',
          desired: 'tenant-app:12',
          actual: 'tenant-app:11',
          cause: 'spec',
          effect: 'replace',
        },
      ],
    ],
    [
      'and which drains by now',
      { deployments: [fallen()], status: 'DRAINING' },
      [{ path: 'service', desired: 'ACTIVE', actual: 'DRAINING', cause: 'drift', effect: 'live' }],
    ],
  ])('differs: %s', (_what, there, changes) => {
    expect(observe(desired, { service: service(there) }, clock).changes).toEqual(changes);
  });
});

describe('what is wrong while tasks are still to come', () => {
  const says = (messages: string[]) =>
    observe(desired, { service: running(0, { events: messages.map((message) => ({ message })) }) }, clock)
      .message;
  test('is the last event that tells of trouble, without the name of the service', () => {
    expect(
      says([
        '(service a) has started 1 tasks: (task 0).',
        '(service a) was unable to place a task.',
        '(service a) failed before.',
      ]),
    ).toBe('was unable to place a task.');
    expect(says(['(service a) has started 1 tasks'])).toBeUndefined();
  });

  const minutes = (count: number): Date => ago(60 * count);
  test.each<[what: string, events: readonly [message: string, at: Date][], told: string | undefined]>([
    ['a moment ago', [['was unable to place a task.', minutes(1)]], 'was unable to place a task.'],
    ['for the last time 20 minutes ago', [['was unable to place a task.', minutes(20)]], undefined],
    ['60 days ago', [['was unable to place a task.', minutes(60 * 24 * 60)]], undefined],
    [
      'before a steady state was reached',
      [
        ['has reached a steady state.', minutes(1)],
        ['was unable to place a task.', minutes(2)],
      ],
      undefined,
    ],
    [
      'before the deployment was completed',
      [
        ['has started 1 tasks: (task 0).', minutes(1)],
        ['(deployment ecs-svc/1) deployment completed.', minutes(2)],
        ['was unable to place a task.', minutes(3)],
      ],
      undefined,
    ],
  ])('is what an event told %s', (_what, events, told) => {
    const there = running(0, {
      events: events.map(([message, createdAt]) => ({ message: `(service a) ${message}`, createdAt })),
    });
    expect(observe(desired, { service: there }, clock).message).toBe(told);
  });
});

test.each<[what: string, there: Partial<Service>, deploymentId: string | undefined]>([
  ['its own where there is one', {}, 'ecs-svc/2'],
  ['the fallen one after a rollback', back({ id: 'ecs-svc/9' }), 'ecs-svc/9'],
  [
    'the present one where the fallen one is forgotten',
    {
      taskDefinition: oldArn,
      deployments: [
        deployment({ id: 'ecs-svc/0', status: 'ACTIVE' }),
        deployment({ id: 'ecs-svc/1', taskDefinition: oldArn, rolloutStateReason: 'rolled back' }),
      ],
    },
    'ecs-svc/1',
  ],
  ['none where ECS names none', { deployments: [] }, undefined],
])('the deployment of the status is %s', (_what, there, deploymentId) => {
  const seen = observe(desired, { service: service(there) }, clock);
  expect(seen.compute.resourceIds?.['deployment']).toBe(deploymentId);
});
