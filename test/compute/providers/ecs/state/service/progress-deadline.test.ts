import type { Service } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import type { EcsConfig } from '../../../../../../src/compute/providers/ecs/config.ts';
import { desireService } from '../../../../../../src/compute/providers/ecs/state/desired.ts';
import { observe } from '../../../../../../src/compute/providers/ecs/state/observed.ts';
import { progressDeadlineMs } from '../../../../../../src/compute/providers/ecs/state/service/progress-deadline.ts';
import { settings, tenantSpec } from '../../ecs-fixture.ts';
import { ago, clock, deployment, desired, oldArn, service, stopped } from '../../observed-fixture.ts';

describe('the time of a rollout', () => {
  test.each<[what: string, config: Partial<EcsConfig>, seconds: number]>([
    ['is that of a Deployment', {}, 600],
    ['is what is named', { progress_deadline_seconds: 60 }, 60],
    ['does not count a grace', { health_check_grace_period_seconds: 90 }, 690],
    ['does not count a bake time', { deployment: { bake_time_in_minutes: 5 } }, 900],
    [
      'does not count those of a canary',
      { deployment: { strategy: 'CANARY', canary_configuration: { canary_bake_time_in_minutes: 3 } } },
      780,
    ],
    ['does not count that of a canary that AWS has', { deployment: { strategy: 'CANARY' } }, 1_200],
    [
      'does not count the steps',
      {
        deployment: {
          strategy: 'LINEAR',
          bake_time_in_minutes: 1,
          linear_configuration: { step_percent: 30, step_bake_time_in_minutes: 2 },
        },
      },
      600 + 60 * 9,
    ],
    ['does not count the steps that AWS has', { deployment: { strategy: 'LINEAR' } }, 4_200],
  ])('%s', (_what, config, seconds) => {
    expect(progressDeadlineMs(config)).toBe(seconds * 1_000);
  });

  test('is none of what ECS is asked for', () => {
    const hashOf = (config: Record<string, unknown>) =>
      desireService(tenantSpec({ desired_count: 2, ...config }), settings()).specHash;
    expect(hashOf({ progress_deadline_seconds: 60 })).toBe(hashOf({}));
  });
});

/** A rollout that began so many seconds ago, and has one of its two tasks. */
const rolling = (seconds: number, over: Partial<Service> = {}) =>
  service({
    runningCount: 1,
    deployments: [deployment({ rolloutState: 'IN_PROGRESS', runningCount: 1, createdAt: ago(seconds) })],
    ...over,
  });

describe('a rollout that does not come to its end', () => {
  test('is told once its time is up, and not before', () => {
    expect(observe(desired, { service: rolling(599) }, clock).overdue).toBeUndefined();
    expect(observe(desired, { service: rolling(600) }, clock).overdue).toBe(
      'the rollout has not come to its end within 600 seconds, and goes on: 1 of 2 tasks run; ECS tells of no trouble',
    );
  });

  test('is told with what stopped its tasks', () => {
    const tasks = [stopped({ containers: [{ name: 'app', exitCode: 3 }] })];
    expect(observe(desired, { service: rolling(600), tasks }, clock).overdue).toContain(
      '1 of 2 tasks run; container app exited with code 3',
    );
  });

  test.each<[what: string, messages: readonly string[], told: string]>([
    [
      'its trouble, before what it did since',
      [
        '(service landlord-tenant-acme) has started 1 tasks: (task 0123456789abcdef0123456789abcdef).',
        '(service landlord-tenant-acme) was unable to place a task because no container instance met all of its requirements.',
      ],
      'was unable to place a task because no container instance met all of its requirements.',
    ],
    [
      'what it did, where there is no trouble',
      [
        '(service landlord-tenant-acme) has begun draining connections on 1 tasks.',
        '(service landlord-tenant-acme) has reached a steady state.',
      ],
      'has begun draining connections on 1 tasks.',
    ],
    [
      'nothing from before it came to rest',
      [
        '(service landlord-tenant-acme) has reached a steady state.',
        '(service landlord-tenant-acme) was unable to place a task.',
      ],
      'ECS tells of no trouble',
    ],
  ])('is told with the last events: %s', (_what, messages, told) => {
    const events = messages.map((message) => ({ message, createdAt: ago(5) }));
    const { overdue = '' } = observe(desired, { service: rolling(600, { events }) }, clock);
    expect(overdue.endsWith(`1 of 2 tasks run; ${told}`)).toBe(true);
  });

  test.each<[what: string, over: Partial<Service>]>([
    ['that is over', { deployments: [deployment({ createdAt: ago(900), runningCount: 1 })] }],
    ['of no tasks', { desiredCount: 0, runningCount: 0 }],
    [
      'of somebody else',
      {
        taskDefinition: oldArn,
        deployments: [
          deployment({
            taskDefinition: oldArn,
            rolloutState: 'IN_PROGRESS',
            runningCount: 1,
            createdAt: ago(900),
          }),
        ],
      },
    ],
    ['that has failed', { deployments: [deployment({ rolloutState: 'FAILED', createdAt: ago(900) })] }],
    ['of a service that drains', { status: 'DRAINING' }],
    [
      'whose tasks have run for long enough, where nobody may call it COMPLETED',
      {
        runningCount: 2,
        deployments: [deployment({ rolloutState: 'IN_PROGRESS', createdAt: ago(900) })],
      },
    ],
  ])('is not one %s', (_what, over) => {
    expect(observe(desired, { service: rolling(900, over) }, clock).overdue).toBeUndefined();
  });

  test('is one whose tasks all run, and which AWS does not call COMPLETED', () => {
    const there = rolling(900, {
      runningCount: 2,
      deployments: [deployment({ rolloutState: 'IN_PROGRESS', createdAt: ago(900) })],
    });
    expect(observe(desired, { service: there }, { ...clock, callsCompleted: true }).overdue).toContain(
      '2 of 2 tasks run',
    );
  });
});
