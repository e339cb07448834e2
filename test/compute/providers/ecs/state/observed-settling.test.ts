import type { Deployment, Service, Task } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { serviceTags } from '../../../../../src/compute/providers/ecs/state/marks/service-tags.ts';
import { needsTasks } from '../../../../../src/compute/providers/ecs/state/health.ts';
import { observe } from '../../../../../src/compute/providers/ecs/state/observed.ts';
import { tagList } from '../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import type { ContainerSpec } from '../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, settings, tenantSpec } from '../ecs-fixture.ts';
import { ago, clock, deployment, desired, oldArn, service } from '../observed-fixture.ts';

/** Rollouts that ECS does not call COMPLETED: how long until they count as good. `clock.settleMs` is 15 s. */

const own = 'arn:aws:ecs:us-west-2:123456789012:task-definition/own:1';
const checkedBy = (...checks: ContainerSpec['healthCheck'][]) =>
  desireService(
    tenantSpec(
      {},
      {
        containers: checks.map((healthCheck, index) =>
          containerSpec(`c${index}`, healthCheck ? { healthCheck } : {}),
        ),
      },
    ),
    settings(),
  );
/** Says something after 2 + (1 + 1) * (6 + 4) = 22 s. */
const check = { command: ['/ok'], intervalSeconds: 6, timeoutSeconds: 4, retries: 1, startPeriodSeconds: 2 };
const checked = checkedBy(check);
const rolling = (over: Partial<Deployment> = {}): Service =>
  service({
    taskDefinition: own,
    tags: tagList(serviceTags(checked, 'own:1')),
    deployments: [deployment({ taskDefinition: own, rolloutState: 'IN_PROGRESS', ...over })],
  });
const task = (healthStatus: Task['healthStatus'], over: Partial<Task> = {}): Task => ({
  taskDefinitionArn: own,
  lastStatus: 'RUNNING',
  healthStatus,
  ...over,
});

describe('a rollout in progress', () => {
  test.each<[seconds: number, state: string, looks: number | undefined]>([
    [1, 'starting', 3_000],
    [13, 'starting', 2_000],
    [14.95, 'starting', 100],
    [15, 'running', undefined],
    [16, 'running', undefined],
  ])('that runs in full since %d s is %s, and is looked at after %s ms', (seconds, state, looks) => {
    const there = service({
      deployments: [deployment({ rolloutState: 'IN_PROGRESS', createdAt: ago(seconds) })],
    });
    const seen = observe(desired, { service: there }, clock);
    expect([seen.compute.state, seen.lookAgainAfterMs]).toEqual([state, looks]);
  });

  test.each<[seconds: number, health: Task['healthStatus'], state: string]>([
    [21, 'UNKNOWN', 'starting'],
    [22, 'UNKNOWN', 'running'],
    [16, 'HEALTHY', 'running'],
    [14, 'HEALTHY', 'starting'],
    [16, undefined, 'starting'],
  ])('with a health check that may take 22 s is after %i s and %s: %s', (seconds, health, state) => {
    const there = rolling({ createdAt: ago(seconds) });
    const seen = observe(checked, { service: there, tasks: [task(health)] }, clock);
    expect(seen.compute.state).toBe(state);
  });

  test.each<[tasks: Task[], state: string]>([
    [[], 'starting'],
    [[task('HEALTHY'), task('UNKNOWN')], 'starting'],
    [[task('HEALTHY'), task('HEALTHY')], 'running'],
    [[task('HEALTHY'), task('UNKNOWN', { lastStatus: 'STOPPED' })], 'running'],
    [[task('HEALTHY', { lastStatus: 'STOPPED' })], 'starting'],
  ])('is proven early by running tasks that are all healthy: %j is %s', (tasks, state) => {
    const there = rolling({ createdAt: ago(16) });
    expect(observe(checked, { service: there, tasks }, clock).compute.state).toBe(state);
  });

  test.each<[what: string, startedAt: Date[], state: string]>([
    ['not from when the deployment was made', [ago(14.999), ago(14.999)], 'starting'],
    ['until the last has run for long enough', [ago(600), ago(14.999)], 'starting'],
    ['and that will do', [ago(600), ago(15)], 'running'],
  ])('is proven from when its tasks run, %s', (_what, starts, state) => {
    const there = service({
      deployments: [deployment({ rolloutState: 'IN_PROGRESS', createdAt: ago(700) })],
    });
    const tasks = starts.map((startedAt): Task => ({
      taskDefinitionArn: there.taskDefinition,
      lastStatus: 'RUNNING',
      startedAt,
    }));
    expect(observe(desired, { service: there, tasks }, clock).compute.state).toBe(state);
  });

  test.each<[what: string, checks: ContainerSpec['healthCheck'][], untilSeconds: number]>([
    ['the slowest check counts', [undefined, check, { ...check, startPeriodSeconds: 10 }], 30],
    ['a check without a time-out takes its interval for one', [{ ...check, timeoutSeconds: undefined }], 26],
  ])('waits for a check as long as it may take: %s', (_what, checks, untilSeconds) => {
    const of = checkedBy(...checks);
    const there = { ...rolling(), tags: tagList(serviceTags(of, 'own:1')) };
    const stateAfter = (seconds: number) =>
      observe(of, { service: there, tasks: [task('UNKNOWN', { startedAt: ago(seconds) })] }, clock).compute
        .state;
    expect([stateAfter(untilSeconds - 0.001), stateAfter(untilSeconds)]).toEqual(['starting', 'running']);
  });

  test.each<[what: string, there: Service, of: typeof desired]>([
    ['all its tasks run', service({ deployments: [deployment({ rolloutState: 'IN_PROGRESS' })] }), desired],
    ['they are healthy', rolling(), checked],
  ])('is none that AWS has called COMPLETED, though %s', (_what, there, of) => {
    const tasks = [task('HEALTHY', { startedAt: ago(3600) })];
    const seen = observe(of, { service: there, tasks }, { ...clock, callsCompleted: true });
    expect(seen.compute).toMatchObject({ state: 'starting', health: 'unknown' });
    expect(seen.lookAgainAfterMs).toBe(3_000);
  });

  test('with a task that fails its health check says so', () => {
    const seen = observe(checked, { service: rolling(), tasks: [task('HEALTHY'), task('UNHEALTHY')] }, clock);
    expect(seen).toMatchObject({
      compute: { state: 'running', health: 'unhealthy' },
      message: 'a task fails its health check',
      lookAgainAfterMs: 3_000,
    });
  });

  test.each<[what: string, over: Partial<Service>]>([
    [
      'while the old tasks still run',
      {
        runningCount: 4,
        deployments: [
          deployment({ rolloutState: 'IN_PROGRESS' }),
          deployment({ id: 'ecs-svc/1', status: 'ACTIVE', taskDefinition: oldArn }),
        ],
      },
    ],
    ['while some are missing', { runningCount: 1 }],
    [
      'while its own are too few',
      { deployments: [deployment({ runningCount: 1, rolloutState: 'IN_PROGRESS' })] },
    ],
  ])('is starting %s', (_what, over) => {
    const seen = observe(desired, { service: service(over) }, clock);
    expect(seen).toMatchObject({
      compute: { state: 'starting', health: 'unknown' },
      lookAgainAfterMs: 3_000,
    });
  });

  test.each<[what: string, over: Partial<Deployment>]>([
    ['where ECS calls it COMPLETED, whatever it counts', { runningCount: 0 }],
    ['where ECS does not count its tasks', { runningCount: undefined, rolloutState: undefined }],
  ])('runs in full %s', (_what, over) => {
    const seen = observe(desired, { service: service({ deployments: [deployment(over)] }) }, clock);
    expect(seen.compute).toMatchObject({ state: 'running', health: 'healthy' });
  });

  test('whose age ECS does not tell is old', () => {
    const there = service({
      deployments: [deployment({ rolloutState: 'IN_PROGRESS', createdAt: undefined })],
    });
    expect(observe(desired, { service: there }, clock).compute.state).toBe('running');
  });
});

describe('a service that is scaled to nothing', () => {
  test.each<[running: number | undefined, state: string, looks: number | undefined]>([
    [1, 'stopping', 3_000],
    [0, 'stopped', undefined],
    [undefined, 'stopped', undefined],
  ])('and runs %s is %s', (runningCount, state, looks) => {
    const seen = observe(desired, { service: service({ desiredCount: 0, runningCount }) }, clock);
    expect([seen.compute.state, seen.compute.health, seen.lookAgainAfterMs]).toEqual([
      state,
      'unknown',
      looks,
    ]);
  });

  test('and deleted is draining', () => {
    expect(observe(desired, { service: service({ status: 'DRAINING' }) }, clock)).toMatchObject({
      compute: { state: 'stopping', health: 'unknown' },
      message: 'the service is draining',
      lookAgainAfterMs: 3_000,
    });
  });
});

describe('the tasks are asked for', () => {
  const changed = (message: string, seconds: number): Service =>
    service({ events: [{ message: `(service a) ${message}`, createdAt: ago(seconds) }] });
  const failedAndBack = service({
    taskDefinition: oldArn,
    deployments: [
      deployment({ taskDefinition: oldArn }),
      deployment({ status: 'ACTIVE', rolloutState: 'FAILED' }),
    ],
  });
  test.each<[what: string, there: Service | undefined, of: typeof desired | undefined, expected: boolean]>([
    ['after a rollback, to tell why', failedAndBack, desired, true],
    ['where ECS leaves the running ones out', service({ runningCount: undefined }), desired, true],
    ['not where more run than asked for', service({ runningCount: 3 }), desired, false],
    ['not where none are asked for', service({ desiredCount: 0, runningCount: 0 }), desired, false],
    ['not where there is no service', undefined, desired, false],
    ['not of one that is no more', service({ status: 'INACTIVE', runningCount: 0 }), desired, false],
    ['while young ones prove themselves', rolling({ createdAt: ago(299.999) }), undefined, true],
    ['not once they are old', rolling({ createdAt: ago(300) }), undefined, false],
    ['where a check says more', rolling({ createdAt: ago(300) }), checked, true],
    ['not where no task failed', rolling({ failedTasks: undefined, createdAt: ago(300) }), undefined, false],
    ['where one failed', rolling({ failedTasks: 1, createdAt: ago(300) }), undefined, true],
    ['where one was started lately', changed('has started 1 tasks: (task 1).', 299), desired, true],
    ['where one was stopped lately', changed('has stopped 1 running tasks.', 299), desired, true],
    ['not where that is a while ago', changed('has started 1 tasks: (task 1).', 300), desired, false],
    ['not where something else was told', changed('has reached a steady state.', 1), desired, false],
  ])('%s', (_what, there, of, expected) => {
    expect(needsTasks(of, { service: there }, clock)).toBe(expected);
  });
});
