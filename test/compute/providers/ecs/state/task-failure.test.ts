import type { Task } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { failuresOf, taskText } from '../../../../../src/compute/providers/ecs/state/task-failure.ts';
import { ago, nowMs, stopped } from '../observed-fixture.ts';

const failure = (task: Partial<Task>) => failuresOf([stopped(task)])[0];
const exit = (exitCode: number | undefined, reason?: string) => ({ name: `c${exitCode}`, exitCode, reason });

describe('why a task stopped', () => {
  test.each<[what: string, task: Partial<Task>, message: string]>([
    [
      'the container whose image can’t be pulled, by its own reason',
      {
        stoppedReason: 'Task failed to start',
        containers: [
          { name: 'a', image: 'a:1' },
          { name: 'b', image: 'b:1', reason: 'CannotPullContainerError: denied' },
        ],
      },
      "image b:1 can't be pulled: CannotPullContainerError: denied",
    ],
    [
      'the one whose image the task’s reason names',
      {
        stoppedReason: 'CannotPullContainerError: b:1 not found',
        containers: [{ name: 'none' }, { name: 'a', image: 'a:1' }, { name: 'b', image: 'b:1' }],
      },
      "image b:1 can't be pulled: CannotPullContainerError: b:1 not found",
    ],
    [
      'the first where nothing names one',
      { stoppedReason: 'CannotPullContainerError: denied', containers: [{ image: 'a:1' }, { image: 'b:1' }] },
      "image a:1 can't be pulled: CannotPullContainerError: denied",
    ],
    [
      'some image where ECS names no container',
      { stoppedReason: 'manifest unknown', containers: undefined },
      "image of the task definition can't be pulled: manifest unknown",
    ],
    [
      'the container that ran out of memory',
      { containers: [{ name: 'a' }, { name: 'b', reason: 'OutOfMemoryError: killed' }] },
      'container b ran out of memory',
    ],
    [
      'the first where only the task tells of memory',
      { stoppedReason: 'OutOfMemoryError: killed', containers: [{ name: 'a', exitCode: 137 }] },
      'container a ran out of memory',
    ],
    [
      'the one that exited with an error',
      { containers: [exit(0), exit(2), exit(3)] },
      'container c2 exited with code 2',
    ],
    [
      'one that ended without one',
      { containers: [exit(undefined), exit(0)] },
      'container c0 exited with code 0',
    ],
    ['its reason', { containers: [exit(1, 'segfault')] }, 'container c1 exited with code 1: segfault'],
    ['no empty reason', { containers: [exit(1, '')] }, 'container c1 exited with code 1'],
    [
      'the health check before the exit that it led to',
      { stoppedReason: 'Task failed ELB health checks', containers: [exit(137)] },
      'Task failed ELB health checks',
    ],
    ['the task’s own words', { stoppedReason: 'Host EC2 terminated', containers: [] }, 'Host EC2 terminated'],
    ['no more than that', { stoppedReason: '', containers: [exit(undefined)] }, 'its tasks stop'],
  ])('is told as %s', (_what, task, message) => {
    expect(failure(task)?.message).toBe(message);
  });

  test.each([
    [{ stoppedReason: 'CannotPullContainerError', containers: [] }, 'ImageUnavailable'],
    [{ containers: [exit(1)] }, 'RolledBack'],
  ])('of %j is %s', (task, reason) => {
    expect(failure(task)?.reason).toBe(reason);
  });
});

describe('a task tells of a failure', () => {
  test.each<[what: string, task: Partial<Task>, tells: boolean]>([
    ['where it is stopping', { lastStatus: 'DEPROVISIONING' }, true],
    ['where it stopped by itself', { desiredStatus: 'RUNNING' }, true],
    ['not where it runs', { lastStatus: 'RUNNING', desiredStatus: 'RUNNING' }, false],
    ['where it did not start', { stopCode: 'TaskFailedToStart' }, true],
    ['not where somebody stopped it', { stopCode: 'UserInitiated' }, false],
    [
      'where it was unhealthy',
      { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'failed health checks' },
      true,
    ],
    ['where ECS gives a reason and no code', { stopCode: undefined }, true],
    ['where ECS gives a code and no reason', { stoppedReason: undefined }, true],
    ['not where ECS gives neither', { stopCode: undefined, stoppedReason: undefined }, false],
  ])('%s', (_what, task, tells) => {
    expect(failure(task) !== undefined).toBe(tells);
  });

  test.each([
    [{ stoppedAt: ago(3), stoppingAt: ago(5), createdAt: ago(9) }, nowMs - 3_000],
    [{ stoppedAt: undefined, stoppingAt: ago(5), createdAt: ago(9) }, nowMs - 5_000],
    [{ stoppedAt: undefined, createdAt: ago(9) }, nowMs - 9_000],
    [{ stoppedAt: undefined }, 0],
  ])('of the time that it has: %j', (task, atMs) => {
    expect(failure(task)?.atMs).toBe(atMs);
  });
});

test('failures are told newest first, without what did not fail', () => {
  const tasks = [
    stopped({ stoppedAt: ago(9), containers: [exit(1)] }),
    stopped({ stoppedAt: ago(3), containers: [exit(2)] }),
    stopped({ stoppedAt: ago(1), stopCode: 'UserInitiated' }),
    stopped({ stoppedAt: ago(5), containers: [exit(3)] }),
  ];
  expect(failuresOf(tasks).map(({ message }) => message)).toEqual(
    [2, 3, 1].map((code) => `container c${code} exited with code ${code}`),
  );
});

test.each([
  ['a  b\n c ', 'a b c'],
  ['(task 0123456789abcdef0123456789abcdef) failed', 'a task failed'],
  ['deployment 8c1c6f3e-9a1e-4c0e-bb0e-0a1b2c3d4e5f', 'deployment …'],
  ['denied, request id: 8f', 'denied,'],
  ['x'.repeat(400), 'x'.repeat(300)],
])('%s is told without what differs from one task to the next', (text, told) => {
  expect(taskText(text)).toBe(told);
});
