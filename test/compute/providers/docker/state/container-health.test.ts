import { describe, expect, it } from 'vitest';
import {
  containerHealth,
  describeExit,
  unsettledMs,
} from '../../../../../src/compute/providers/docker/state/container-health.ts';
import type { ContainerHealth } from '../../../../../src/compute/providers/docker/state/container-health.ts';
import { recentRestarts } from '../../../../../src/compute/providers/docker/state/container-end.ts';
import type {
  Inspected,
  ObservedContainer,
} from '../../../../../src/compute/providers/docker/state/observed-container.ts';
import { clock, nowMs, observedContainer } from '../observed-fixture.ts';

type Seen = readonly [Partial<ObservedContainer>, Partial<Inspected>?];

const assessed = ([over, inspected]: Seen): ContainerHealth =>
  containerHealth(observedContainer({ name: 'app', ...over }, inspected), clock);
const ago = (ms: number): Partial<Inspected> => ({ startedMs: nowMs - ms });
/** Restarted so often within the last minute, and up for `ms`. */
const restarted = (restartCount: number, ms: number): Partial<Inspected> => ({
  restartCount,
  createdMs: nowMs - 60_000,
  ...ago(ms),
});

describe('a container is called', () => {
  it.each<[string, Seen, ContainerHealth]>([
    [
      'healthy once it has run for the settling time',
      [{}, ago(3_000)],
      { state: 'running', health: 'healthy' },
    ],
    [
      'starting until then, with the time that is left',
      [{}, ago(2_999)],
      { state: 'starting', health: 'unknown', lookAgainAfterMs: 1 },
    ],
    [
      'starting for the whole settling time where its clock is ahead of ours',
      [{}, ago(-5_000)],
      { state: 'starting', health: 'unknown', lookAgainAfterMs: 3_000 },
    ],
    [
      'starting, and to be inspected soon, where a list alone tells that it is young',
      [{ young: true, inspected: undefined }],
      { state: 'starting', health: 'unknown', lookAgainAfterMs: 1_000 },
    ],
    [
      'healthy where a list alone tells that it is not',
      [{ inspected: undefined }],
      { state: 'running', health: 'healthy' },
    ],
    [
      'healthy by its check',
      [{ health: 'healthy', young: true }, ago(0)],
      { state: 'running', health: 'healthy' },
    ],
    [
      'healthy by its check after a restart or two',
      [{ health: 'healthy', young: true }, restarted(2, 0)],
      { state: 'running', health: 'healthy' },
    ],
    [
      'failed where its check passes for a moment in a crash loop',
      [{ health: 'healthy', young: true }, restarted(3, 10_000)],
      {
        state: 'failed',
        health: 'unhealthy',
        message: 'keeps exiting; the engine restarts it',
        lookAgainAfterMs: 14_000,
      },
    ],
    [
      'unhealthy by its check',
      [{ health: 'unhealthy', young: true }, ago(0)],
      { state: 'running', health: 'unhealthy', message: 'fails its health check' },
    ],
    [
      'starting while its check has not spoken, however long it runs',
      [{ health: 'starting' }],
      { state: 'starting', health: 'unknown', lookAgainAfterMs: 5_000 },
    ],
    [
      'restarted, rather than starting, while its check has not spoken since',
      [{ health: 'starting', exitCode: 3 }, restarted(1, 5_999)],
      {
        state: 'starting',
        health: 'unhealthy',
        message: 'exited with code 3 and was restarted by the engine',
        lookAgainAfterMs: 1,
      },
    ],
    [
      'restarted while it has not run for twice the settling time since',
      [{}, restarted(1, 5_999)],
      {
        state: 'starting',
        health: 'unhealthy',
        message: 'exited and was restarted by the engine',
        lookAgainAfterMs: 1,
      },
    ],
    ['healthy after that', [{}, restarted(1, 6_000)], { state: 'running', health: 'healthy' }],
    [
      'restarted while the engine waits with the next start',
      [{ state: 'restarting', exitCode: 3, inspected: undefined }],
      {
        state: 'starting',
        health: 'unhealthy',
        message: 'exited with code 3 and was restarted by the engine',
        lookAgainAfterMs: 3_000,
      },
    ],
    [
      'failed from the third restart on',
      [{ state: 'restarting', exitCode: 3 }, restarted(3, 0)],
      {
        state: 'failed',
        health: 'unhealthy',
        message: 'keeps exiting with code 3; the engine restarts it',
        lookAgainAfterMs: 3_000,
      },
    ],
    [
      'and not from the second',
      [{ state: 'restarting', exitCode: 3 }, restarted(2, 0)],
      {
        state: 'starting',
        health: 'unhealthy',
        message: 'exited with code 3 and was restarted by the engine',
        lookAgainAfterMs: 3_000,
      },
    ],
    ['starting where it was made', [{ state: 'created' }], { state: 'starting', health: 'unknown' }],
    [
      'starting where it was made and nobody has asked why it does not run',
      [{ state: 'created', inspected: undefined }],
      { state: 'starting', health: 'unknown' },
    ],
    [
      'failed where the engine could not start it',
      [{ state: 'created' }, { error: 'port is busy' }],
      { state: 'failed', health: 'unhealthy', message: 'could not be started' },
    ],
    [
      'stopped where it is paused',
      [{ state: 'paused' }],
      { state: 'stopped', health: 'unhealthy', message: 'is paused' },
    ],
    [
      'stopping while the engine removes it',
      [{ state: 'removing' }],
      { state: 'stopping', health: 'unknown' },
    ],
    [
      'failed where it is dead',
      [{ state: 'dead' }],
      { state: 'failed', health: 'unhealthy', message: 'is dead' },
    ],
    [
      'stopped and unhealthy where it ended well and should run for ever',
      [{ state: 'exited', exitCode: 0 }],
      { state: 'stopped', health: 'unhealthy', message: 'exited with code 0' },
    ],
    ...(['no', 'on-failure'] as const).flatMap((restartPolicy): [string, Seen, ContainerHealth][] => [
      [
        `completed, and well, where it ended well under the policy ${restartPolicy}`,
        [
          { state: 'exited', exitCode: 0 },
          { live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy } },
        ],
        { state: 'stopped', health: 'healthy', message: 'completed' },
      ],
      [
        `failed where it did not under the policy ${restartPolicy}`,
        [
          { state: 'exited', exitCode: 1 },
          { live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy } },
        ],
        { state: 'failed', health: 'unhealthy', message: 'exited with code 1' },
      ],
    ]),
    [
      'failed where it did not',
      [{ state: 'exited', exitCode: 1 }],
      { state: 'failed', health: 'unhealthy', message: 'exited with code 1' },
    ],
  ])('%s', (_what, seen, expected) => {
    expect(assessed(seen)).toEqual(expected);
  });
});

it('the settling time doubles with each recent restart, up to 5 minutes', () => {
  const left = (restarts: number): number =>
    unsettledMs(observedContainer({ name: 'app' }, restarted(restarts, 0)), clock);
  expect([0, 1, 2, 6, 7, 100].map(left)).toEqual([3_000, 6_000, 12_000, 192_000, 300_000, 300_000]);
});

describe('restarts count', () => {
  const recent = (inspected: Partial<Inspected>, exitsAgoMs: readonly number[] = []): number =>
    recentRestarts(
      observedContainer(
        { name: 'app', exitsMs: exitsAgoMs.map((ms) => nowMs - ms) },
        { startedMs: nowMs, finishedMs: nowMs - 200, ...inspected },
      ),
    );
  const month = { createdMs: nowMs - 30 * 86_400_000 };

  it('while they come more often than every 5 minutes since it was made', () => {
    expect(recent({ restartCount: 0, createdMs: nowMs - 1_000 })).toBe(0);
    expect(recent({ restartCount: 4, createdMs: nowMs - 4 * 300_000 + 1 })).toBe(4);
  });

  it('one at least, where it was restarted after a long good run', () => {
    expect(recent({ restartCount: 1, ...month })).toBe(1);
    expect(recent({ restartCount: 40, ...month })).toBe(1);
  });

  it('as many as were heard in the 5 minutes before, however long it had run', () => {
    expect(recent({ restartCount: 40, ...month }, [400_000, 299_999, 60_000, 30_000, 200])).toBe(4);
    expect(recent({ restartCount: 2, ...month }, [90_000, 60_000, 30_000, 200])).toBe(2);
  });

  it('as often as it was heard to crash, where a start by hand has set the count of the engine to 0', () => {
    const crashed = (...agoMs: readonly number[]) =>
      recentRestarts(
        observedContainer(
          { name: 'app', crashesMs: agoMs.map((ms) => nowMs - ms) },
          { restartCount: 0, startedMs: nowMs - 10_000, finishedMs: nowMs - 10_200 },
        ),
      );
    expect(crashed(400_000, 200_000, 60_000, 10_200)).toBe(3);
    // The next one follows upon no start yet.
    expect(crashed(5_000)).toBe(0);
  });

  it("as many as the engine's growing delay shows, where nobody has listened", () => {
    const delayed = (delayMs: number) => recent({ restartCount: 40, ...month, finishedMs: nowMs - delayMs });
    expect([1_599, 1_600, 3_200, 60_000].map(delayed)).toEqual([1, 3, 4, 8]);
  });
});

it('a crash loop after a month of running well is none the healthier for it', () => {
  const looping = {
    restartCount: 6,
    createdMs: nowMs - 30 * 86_400_000,
    startedMs: nowMs - 5_000,
    finishedMs: nowMs - 8_300,
  };
  expect(assessed([{ exitCode: 3 }, looping])).toEqual({
    state: 'failed',
    health: 'unhealthy',
    message: 'keeps exiting with code 3; the engine restarts it',
    lookAgainAfterMs: 43_000,
  });
});

it('a crash loop that somebody starts by hand is not believed any sooner', () => {
  const crashesMs = [90_000, 60_000, 30_000].map((ms) => nowMs - ms);
  expect(
    assessed([
      { exitCode: 1, crashesMs },
      { restartCount: 0, ...ago(3_000) },
    ]),
  ).toEqual({
    state: 'failed',
    health: 'unhealthy',
    message: 'keeps exiting with code 1',
    lookAgainAfterMs: 21_000,
  });
  expect(assessed([{ exitCode: 1, crashesMs: [nowMs - 9_000] }, ago(3_000)])).toMatchObject({
    message: 'exited with code 1 and was started again',
  });
});

it('the code of an exit is the one that was heard of, else the one that the engine remembers', () => {
  const exit = (exitCode: number | undefined, remembered: number): string =>
    describeExit(observedContainer({ name: 'app', state: 'exited', exitCode }, { exitCode: remembered }));
  expect(exit(3, 4)).toBe('exited with code 3');
  expect(exit(0, 4)).toBe('exited with code 0');
  expect(exit(undefined, 4)).toBe('exited with code 4');
});
