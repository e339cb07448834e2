import type { Deployment, Service, Task } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { serviceTags } from '../../../../../src/compute/providers/ecs/state/marks/service-tags.ts';
import { needsTasks } from '../../../../../src/compute/providers/ecs/state/health.ts';
import { observe } from '../../../../../src/compute/providers/ecs/state/observed.ts';
import { tagList } from '../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import { portsOf } from '../../../../../src/compute/providers/ecs/state/endpoints.ts';
import { containerSpec, settings, tenantSpec } from '../ecs-fixture.ts';
import { baseArn } from '../memory-ecs.ts';
import { ago, clock, deployment, desired, nowMs, oldArn, service, stopped } from '../observed-fixture.ts';

describe('a service', () => {
  test.each<[what: string, over: Partial<Service>, state: string, health: string, looks: boolean]>([
    ['COMPLETED, with all tasks', {}, 'running', 'healthy', false],
    [
      'COMPLETED at once, with nothing running yet',
      { runningCount: 0, deployments: [deployment({ runningCount: 0, createdAt: ago(1) })] },
      'starting',
      'unknown',
      true,
    ],
    [
      'IN_PROGRESS for long, with all tasks and no failure',
      { deployments: [deployment({ rolloutState: 'IN_PROGRESS' })] },
      'running',
      'healthy',
      false,
    ],
    [
      'IN_PROGRESS for a moment, with all tasks',
      { deployments: [deployment({ rolloutState: 'IN_PROGRESS', createdAt: ago(1) })] },
      'starting',
      'unknown',
      true,
    ],
    [
      'whose tasks are still the old ones',
      {
        deployments: [
          deployment({ rolloutState: 'IN_PROGRESS', runningCount: 0 }),
          deployment({ id: 'ecs-svc/1', status: 'ACTIVE', taskDefinition: oldArn }),
        ],
      },
      'starting',
      'unknown',
      true,
    ],
    [
      'with old and new ones at once',
      {
        runningCount: 4,
        deployments: [
          deployment({ rolloutState: 'IN_PROGRESS' }),
          deployment({ id: 'ecs-svc/1', status: 'ACTIVE', taskDefinition: oldArn }),
        ],
      },
      'starting',
      'unknown',
      true,
    ],
    ['that drains', { status: 'DRAINING', runningCount: 1 }, 'stopping', 'unknown', true],
    ['scaled to nothing', { desiredCount: 0, runningCount: 0 }, 'stopped', 'unknown', false],
  ])('%s', (_what, over, state, health, looks) => {
    const seen = observe(desired, { service: service(over) }, clock);
    expect(seen.compute).toMatchObject({ state, health });
    expect(seen.lookAgainAfterMs !== undefined).toBe(looks);
    expect(seen.rolledBack).toBeUndefined();
  });

  test.each([undefined, service({ status: 'INACTIVE' })])('that is no more is not there', (gone) => {
    expect(observe(desired, { service: gone }, clock)).toEqual({
      exists: false,
      changes: [],
      compute: { state: 'stopped', health: 'unknown', running: 0, desired: 2 },
    });
  });

  test('names its service, task definition and deployment', () => {
    expect(observe(desired, { service: service() }, clock).compute.resourceIds).toEqual({
      service: 'arn:aws:ecs:us-west-2:123456789012:service/landlord/landlord-tenant-acme',
      taskDefinition: baseArn,
      deployment: 'ecs-svc/2',
    });
  });
});

describe('what stopped a task is told', () => {
  test.each<[what: string, task: Partial<Task>, message: RegExp]>([
    [
      'an image that is not there',
      {
        stopCode: 'TaskFailedToStart',
        stoppedReason: 'CannotPullContainerError: pull image manifest has been retried 5 time(s)',
        containers: [{ name: 'app', image: 'registry.example/app:9' }],
      },
      /^image registry\.example\/app:9 can't be pulled: CannotPullContainerError/,
    ],
    [
      'an exit code',
      { containers: [{ name: 'app', exitCode: 137 }] },
      /^container app exited with code 137$/,
    ],
    [
      'memory',
      {
        containers: [
          { name: 'app', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
        ],
      },
      /^container app ran out of memory$/,
    ],
    [
      'a health check',
      { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Task failed container health checks' },
      /^Task failed container health checks$/,
    ],
    [
      'a secret that may not be read',
      {
        stopCode: 'TaskFailedToStart',
        stoppedReason: 'ResourceInitializationError: unable to pull secrets or registry auth: AccessDenied',
      },
      /^ResourceInitializationError/,
    ],
  ])('as %s', (_what, task, message) => {
    const there = service({ runningCount: 0, deployments: [deployment({ runningCount: 0 })] });
    const seen = observe(desired, { service: there, tasks: [stopped(task)] }, clock);
    expect(seen.message).toMatch(message);
    expect(seen.compute).toMatchObject({ state: 'failed', health: 'unhealthy' });
  });

  test.each<[what: string, task: Partial<Task>]>([
    [
      'a deployment stopped it',
      {
        stopCode: 'ServiceSchedulerInitiated',
        stoppedReason: 'Scaling activity initiated by deployment ecs-svc/1',
      },
    ],
    ['somebody stopped it', { stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' }],
    ['it is of another revision', { taskDefinitionArn: oldArn }],
  ])('unless %s', (_what, task) => {
    const there = service({ runningCount: 1, deployments: [deployment({ runningCount: 1 })] });
    const seen = observe(desired, { service: there, tasks: [stopped(task)] }, clock);
    expect(seen.compute).toMatchObject({ state: 'starting', health: 'unknown' });
  });

  test('and a service that runs again right after is not believed yet', () => {
    const tasks = [stopped({ containers: [{ name: 'app', exitCode: 1 }] })];
    expect(observe(desired, { service: service(), tasks }, clock).compute.health).toBe('unhealthy');
    const later = { ...clock, nowMs: nowMs + 60_000 };
    expect(observe(desired, { service: service(), tasks }, later).compute.health).toBe('healthy');
  });
});

describe('a task definition that is not ours', () => {
  const back = { taskDefinition: oldArn };
  const primary = deployment({ id: 'ecs-svc/1', taskDefinition: oldArn });
  const fallen = deployment({
    status: 'ACTIVE',
    rolloutState: 'FAILED',
    rolloutStateReason: 'tasks failed to start',
  });

  test.each<[what: string, over: Partial<Service>]>([
    ['a deployment of ours has FAILED', { ...back, deployments: [primary, fallen] }],
    [
      'ECS calls the present one a rollback',
      {
        ...back,
        deployments: [
          {
            ...primary,
            rolloutState: 'IN_PROGRESS',
            rolloutStateReason: 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.',
          },
        ],
      },
    ],
    [
      'an event says what it went back to',
      {
        ...back,
        deployments: [primary],
        events: [{ message: '(service landlord-tenant-acme) rolling back to deployment ecs-svc/1.' }],
      },
    ],
  ])('was rolled back where %s', (_what, over) => {
    const seen = observe(desired, { service: service(over) }, clock);
    expect(seen.rolledBack).toMatchObject({
      reason: 'RolledBack',
      message: expect.stringContaining('ECS went back to tenant-app:11'),
    });
    expect(seen.changes).toEqual([
      {
        path: 'taskDefinition',
        desired: 'tenant-app:12',
        actual: 'tenant-app:11',
        cause: 'spec',
        effect: 'replace',
      },
    ]);
  });

  test.each<[what: string, over: Partial<Service>, cause: 'drift' | 'spec']>([
    ['somebody’s edit where nothing failed', { ...back, deployments: [primary] }, 'drift'],
    [
      'somebody’s edit where only an earlier deployment was rolled back to',
      {
        ...back,
        deployments: [primary],
        events: [{ message: '(service x) rolling back to deployment ecs-svc/0.' }],
      },
      'drift',
    ],
    [
      'an older desired state where the service bears its mark',
      { ...back, deployments: [primary, fallen], tags: [{ key: 'landlord.spec_hash', value: 'v1:0' }] },
      'spec',
    ],
  ])('is %s', (_what, over, cause) => {
    const seen = observe(desired, { service: service(over) }, clock);
    expect(seen.rolledBack).toBeUndefined();
    expect(seen.changes.find(({ path }) => path === 'taskDefinition')?.cause).toBe(cause);
  });

  test('a first deployment that FAILED has nothing to go back to, and says why', () => {
    const there = service({
      runningCount: 0,
      deployments: [
        deployment({ runningCount: 0, rolloutState: 'FAILED', rolloutStateReason: 'tasks failed to start' }),
      ],
    });
    const tasks = [stopped({ containers: [{ name: 'app', exitCode: 2 }] })];
    const seen = observe(desired, { service: there, tasks }, clock);
    expect(seen.rolledBack?.message).toBe(
      'the deployment of tenant-app:12 failed: container app exited with code 2; there is none before it to go back to',
    );
  });
});

describe('tasks are asked for', () => {
  const checked = desireService(
    tenantSpec(
      {},
      {
        containers: [
          containerSpec('app', {
            healthCheck: { command: ['/ok'], intervalSeconds: 10, retries: 3, startPeriodSeconds: 0 },
          }),
        ],
      },
    ),
    settings(),
  );
  const own = 'arn:aws:ecs:us-west-2:123456789012:task-definition/own:1';
  const rolling = (over: Partial<Deployment> = {}) =>
    service({
      taskDefinition: own,
      tags: tagList(serviceTags(checked, 'own:1')),
      deployments: [
        deployment({ taskDefinition: own, rolloutState: 'IN_PROGRESS', createdAt: ago(20), ...over }),
      ],
    });

  test.each<[what: string, there: Service, of: typeof desired, expected: boolean]>([
    ['not where all is well', service(), desired, false],
    ['where some are missing', service({ runningCount: 1 }), desired, true],
    ['where some have failed', rolling({ failedTasks: 1 }), checked, true],
    ['while a health check may say more', rolling(), checked, true],
    ['not once ECS calls the rollout COMPLETED', rolling({ rolloutState: 'COMPLETED' }), checked, false],
    ['not where it drains', service({ status: 'DRAINING', runningCount: 1 }), desired, false],
  ])('%s', (_what, there, of, expected) => {
    expect(needsTasks(of, { service: there }, { ...clock, callsCompleted: true })).toBe(expected);
  });

  test.each([
    ['HEALTHY', 'healthy'],
    ['UNHEALTHY', 'unhealthy'],
    ['UNKNOWN', 'unknown'],
  ] as const)('%s ones make it %s', (healthStatus, health) => {
    const tasks: Task[] = [{ taskDefinitionArn: own, lastStatus: 'RUNNING', healthStatus }];
    expect(observe(checked, { service: rolling(), tasks }, clock).compute.health).toBe(health);
  });
});

test('the address of a task’s own network interface is its endpoint, a port each', () => {
  const containers = [
    containerSpec('app', {
      ports: [
        { name: 'http', containerPort: 8080, protocol: 'TCP' },
        { containerPort: 53, protocol: 'UDP' },
      ],
    }),
  ];
  const tasks: Task[] = [
    {
      lastStatus: 'RUNNING',
      attachments: [
        { type: 'ElasticNetworkInterface', details: [{ name: 'privateIPv4Address', value: '10.0.0.7' }] },
      ],
    },
    {
      lastStatus: 'STOPPED',
      attachments: [
        { type: 'ElasticNetworkInterface', details: [{ name: 'privateIPv4Address', value: '10.0.0.8' }] },
      ],
    },
  ];
  const seen = observe(desired, { service: service(), tasks, ports: portsOf(containers) }, clock);
  expect(seen.compute.endpoints).toEqual([
    { name: 'http', type: 'tcp', address: '10.0.0.7', port: 8080, url: 'http://10.0.0.7:8080' },
    { name: 'app-53', type: 'udp', address: '10.0.0.7', port: 53 },
  ]);
});
