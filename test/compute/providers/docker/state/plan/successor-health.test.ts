import { describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../../../../../src/api/container/health-check.ts';
import { desiredTenant } from '../../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import type {
  Inspected,
  ObservedContainer,
} from '../../../../../../src/compute/providers/docker/state/observed-container.ts';
import { successorHealth } from '../../../../../../src/compute/providers/docker/state/plan/successor-health.ts';
import type { RestartPolicy } from '../../../../../../src/compute/providers/docker/state/live-settings.ts';
import type { Fault } from '../../../../../../src/compute/providers/docker/state/plan/step.ts';
import type { SuccessorHealth } from '../../../../../../src/compute/providers/docker/state/plan/successor-health.ts';
import { containerSpec, settings, tenantSpec } from '../../docker-fixture.ts';
import { clock, nowMs, observedContainer } from '../../observed-fixture.ts';

function health(
  over: Partial<ObservedContainer>,
  inspected: Partial<Inspected> = {},
  {
    failed = {},
    healthCheck,
    engineStartedMs = 0,
  }: { failed?: Record<string, Fault>; healthCheck?: HealthCheck; engineStartedMs?: number } = {},
): SuccessorHealth {
  const spec = containerSpec('app', healthCheck === undefined ? {} : { healthCheck });
  const [desired] = desiredTenant(tenantSpec({}, { containers: [spec] }), settings()).containers;
  if (desired === undefined) throw new Error('no container');
  const next = observedContainer({ name: 'next', ...over }, inspected);
  return successorHealth(desired, next, { clock, engineStartedMs, failed: new Map(Object.entries(failed)) });
}

const ago = (ms: number): Partial<Inspected> => ({ startedMs: nowMs - ms });

describe('a successor is proven by', () => {
  it.each<[string, Partial<ObservedContainer>, Partial<Inspected>]>([
    ['having run for the settling time', {}, ago(3_000)],
    ['its health check, however young it is', { health: 'healthy' }, ago(1)],
    [
      'a restart that is long ago',
      {},
      { restartCount: 1, createdMs: nowMs - 7_200_000, ...ago(6_000), finishedMs: nowMs - 6_200 },
    ],
    [
      'having done its job',
      { state: 'exited', exitCode: 0 },
      { live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy: 'no' } },
    ],
  ])('%s', (_what, over, inspected) => {
    expect(health(over, inspected)).toEqual({ kind: 'proven' });
  });
});

it('a successor that was made and not started is idle, whatever an earlier start has said', () => {
  expect(health({ state: 'created' })).toEqual({ kind: 'idle' });
  expect(health({ state: 'created', inspected: undefined })).toEqual({ kind: 'idle' });
  expect(health({ state: 'created' }, { error: 'port is busy' })).toEqual({ kind: 'idle' });
});

const under = (restartPolicy: RestartPolicy, memoryBytes = 0): Partial<Inspected> => ({
  live: { nanoCpus: 0, memoryBytes, pidsLimit: 1024, restartPolicy },
});
/** The engine restarted it so often within the last minute. */
const restarts = (restartCount: number): Partial<Inspected> => ({
  restartCount,
  createdMs: nowMs - 60_000,
  ...ago(1_000),
});

describe('a successor ails that', () => {
  it.each<[string, Partial<ObservedContainer>, Partial<Inspected>]>([
    [
      'exited with code 3 each time that the engine started it',
      { state: 'restarting', exitCode: 3 },
      restarts(3),
    ],
    ['exited with code 3 each time that the engine started it', { exitCode: 3 }, restarts(3)],
    ['exited each time that the engine started it', {}, restarts(3)],
    [
      'exited with code 137, killed because it ran out of memory each time that the engine started it',
      { state: 'restarting', exitCode: 137 },
      { ...restarts(3), ...under('always', 2 ** 26), oomKilled: true },
    ],
    ['fails its health check', { health: 'unhealthy' }, {}],
    ['fails its health check', { health: 'unhealthy', inspected: undefined }, {}],
    ['fails its health check: no answer', { health: 'unhealthy' }, { lastProbe: 'no answer' }],
  ])('%s', (why, over, inspected) => {
    expect(health(over, inspected)).toEqual({ kind: 'ailing', why, lookAgainAfterMs: 3_000 });
  });
});

describe('a successor has failed by itself that', () => {
  it.each<[string, Partial<ObservedContainer>, Partial<Inspected>]>([
    ['exited with code 3', { state: 'exited', exitCode: 3 }, under('no')],
    ['exited with code 3', { state: 'exited' }, { exitCode: 3, ...under('no') }],
    ['exited with code 127: the image has no such command', { state: 'exited', exitCode: 127 }, under('no')],
    [
      'exited with code 126: its command can not be executed',
      { state: 'exited', exitCode: 126 },
      under('no'),
    ],
    [
      'exited with code 137, killed because it ran out of memory',
      { state: 'exited', exitCode: 137 },
      { oomKilled: true, ...under('no', 2 ** 26) },
    ],
  ])('%s', (why, over, inspected) => {
    expect(health(over, inspected)).toEqual({ kind: 'failed', why, own: true });
  });

  it('was found not to do before, whatever it looks like now', () => {
    const fault = { why: 'exited with code 3', own: true };
    expect(health({}, {}, { failed: { next: fault } })).toEqual({ kind: 'failed', ...fault });
    expect(health({}, {}, { failed: { other: fault } })).toEqual({ kind: 'proven' });
  });
});

describe('it is no fault of a successor that', () => {
  it.each<[string, Partial<ObservedContainer>, Partial<Inspected>, number?]>([
    ['it was paused while it was tried', { state: 'paused' }, {}],
    ['it stands still where the engine restarts what exits', { state: 'exited', exitCode: 3 }, {}],
    [
      'it stands still after an end like that which is restarted',
      { state: 'exited', exitCode: 3 },
      under('on-failure'),
    ],
    ['nobody knows how it ended', { state: 'exited', inspected: undefined }, {}],
    ['it was killed', { state: 'exited', exitCode: 137 }, under('no')],
    ['it was told to end', { state: 'exited', exitCode: 143 }, under('no')],
    ['the engine has lost it', { state: 'exited', exitCode: 255 }, under('no')],
    ['a signal was sent to it before it ended', { state: 'exited', exitCode: 1, killed: true }, under('no')],
    ['the host ran out of memory', { state: 'exited', exitCode: 137 }, { oomKilled: true, ...under('no') }],
    [
      'the engine could not start it again',
      { state: 'exited', exitCode: 128 },
      { error: 'failed to update store', ...under('no') },
    ],
    [
      'the engine was restarted since',
      { state: 'exited', exitCode: 1 },
      { ...ago(5_000), ...under('no') },
      nowMs - 4_000,
    ],
    [
      'the engine was restarted since, however well it ended',
      { state: 'exited', exitCode: 0 },
      { ...ago(5_000), ...under('no') },
      nowMs - 4_000,
    ],
  ])('%s', (_what, over, inspected, engineStartedMs = 0) => {
    expect(health(over, inspected, { engineStartedMs })).toMatchObject({ kind: 'failed', own: false });
  });
});

describe('a successor is waited for', () => {
  it.each<[string, Partial<ObservedContainer>, Partial<Inspected>, number]>([
    ['until the settling time is over', {}, ago(2_999), 1],
    [
      'for the whole settling time where the engine has not been asked',
      { young: true, inspected: undefined },
      {},
      1_000,
    ],
    ['while its image checks its health', { health: 'starting' }, ago(3_600_000), 5_000],
    ['while it was restarted once or twice', { exitCode: 3 }, restarts(2), 3_000],
    [
      'while the engine is about to restart it for the second time',
      { state: 'restarting', exitCode: 3 },
      restarts(2),
      3_000,
    ],
    ['while others kill it', { state: 'restarting', exitCode: 137 }, restarts(3), 3_000],
  ])('%s', (_what, over, inspected, lookAgainAfterMs) => {
    expect(health(over, inspected)).toEqual({ kind: 'wait', lookAgainAfterMs });
  });

  // 5 s to start, then 3 failures and one more: 4 × (2 s + 1 s), and 10 s of grace.
  const healthCheck = {
    command: ['/ok'],
    intervalSeconds: 2,
    timeoutSeconds: 1,
    retries: 3,
    startPeriodSeconds: 5,
  };

  it.each<[HealthCheck, number]>([
    [healthCheck, 27_000],
    [{ command: ['/ok'], intervalSeconds: 2, retries: 3, startPeriodSeconds: 5 }, 31_000],
  ])('as long as its health check %j may take, and no longer', (check, allowedMs) => {
    const starting = { health: 'starting' } as const;
    expect(health(starting, ago(allowedMs), { healthCheck: check })).toEqual({
      kind: 'wait',
      lookAgainAfterMs: 5_000,
    });
    expect(health(starting, ago(allowedMs + 1), { healthCheck: check })).toEqual({
      kind: 'ailing',
      why: 'did not become healthy in time',
      lookAgainAfterMs: 3_000,
    });
    expect(health({ ...starting, inspected: undefined }, {}, { healthCheck: check })).toMatchObject({
      kind: 'wait',
    });
    expect(health({ health: 'healthy' }, ago(allowedMs + 1), { healthCheck: check })).toEqual({
      kind: 'proven',
    });
  });
});
