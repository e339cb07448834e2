import { describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../../../../../src/api/compute-fields.ts';
import { desiredTenant } from '../../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import type {
  Inspected,
  ObservedContainer,
} from '../../../../../../src/compute/providers/docker/state/observed-container.ts';
import { successorHealth } from '../../../../../../src/compute/providers/docker/state/plan/successor-health.ts';
import type { SuccessorHealth } from '../../../../../../src/compute/providers/docker/state/plan/successor-health.ts';
import { containerSpec, settings, tenantSpec } from '../../docker-fixture.ts';
import { clock, nowMs, observedContainer } from '../../observed-fixture.ts';

function health(
  over: Partial<ObservedContainer>,
  inspected: Partial<Inspected> = {},
  { failed = {}, healthCheck }: { failed?: Record<string, string>; healthCheck?: HealthCheck } = {},
): SuccessorHealth {
  const spec = containerSpec('app', healthCheck === undefined ? {} : { healthCheck });
  const [desired] = desiredTenant(tenantSpec({}, { containers: [spec] }), settings()).containers;
  if (desired === undefined) throw new Error('no container');
  const next = observedContainer({ name: 'next', ...over }, inspected);
  return successorHealth(desired, next, { clock, failed: new Map(Object.entries(failed)) });
}

const ago = (ms: number): Partial<Inspected> => ({ startedMs: nowMs - ms });

describe('a successor is proven by', () => {
  it.each<[string, Partial<ObservedContainer>, Partial<Inspected>]>([
    ['having run for the settling time', {}, ago(3_000)],
    ['its health check, however young it is', { health: 'healthy' }, ago(1)],
    ['restarts that are long ago', {}, { restartCount: 1, createdMs: nowMs - 7_200_000, ...ago(3_000) }],
  ])('%s', (_what, over, inspected) => {
    expect(health(over, inspected)).toEqual({ kind: 'proven' });
  });
});

it('a successor that was made and not started is idle, and one that can not be started has failed', () => {
  expect(health({ state: 'created' })).toEqual({ kind: 'idle' });
  expect(health({ state: 'created', inspected: undefined })).toEqual({ kind: 'idle' });
  expect(health({ state: 'created' }, { error: 'port is busy' })).toEqual({
    kind: 'failed',
    why: 'could not be started: port is busy',
  });
});

describe('a successor has failed that', () => {
  it.each<[string, Partial<ObservedContainer>, Partial<Inspected>]>([
    ['was paused while it was tried', { state: 'paused' }, {}],
    ['exited with code 3', { state: 'exited', exitCode: 3 }, {}],
    ['exited with code 0', { state: 'exited', exitCode: 0 }, {}],
    ['exited with code 3', { state: 'restarting', exitCode: 3 }, {}],
    ['exited with code 3', { state: 'exited' }, { exitCode: 3 }],
    ['exited', { state: 'exited', inspected: undefined }, {}],
    [
      'exited with code 137, killed because it ran out of memory',
      { state: 'exited', exitCode: 137 },
      { oomKilled: true },
    ],
    ['exited with code 127: the image has no such command', { state: 'exited', exitCode: 127 }, {}],
    ['exited with code 126: its command can not be executed', { state: 'exited', exitCode: 126 }, {}],
    [
      'exited with code 3 and was restarted by the engine',
      { exitCode: 3 },
      { restartCount: 1, createdMs: nowMs - 4_000, startedMs: nowMs - 3_000 },
    ],
    ['exited and was restarted by the engine', {}, { restartCount: 1, exitCode: 0, oomKilled: true }],
    ['fails its health check', { health: 'unhealthy' }, {}],
    ['fails its health check', { health: 'unhealthy', inspected: undefined }, {}],
    ['fails its health check: no answer', { health: 'unhealthy' }, { lastProbe: 'no answer' }],
  ])('%s', (why, over, inspected) => {
    expect(health(over, inspected)).toEqual({ kind: 'failed', why });
  });

  it('was found not to do before, whatever it looks like now', () => {
    expect(health({}, {}, { failed: { next: 'exited with code 3' } })).toEqual({
      kind: 'failed',
      why: 'exited with code 3',
    });
    expect(health({}, {}, { failed: { other: 'exited with code 3' } })).toEqual({ kind: 'proven' });
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
      kind: 'failed',
      why: 'did not become healthy in time',
    });
    expect(health({ ...starting, inspected: undefined }, {}, { healthCheck: check })).toMatchObject({
      kind: 'wait',
    });
    expect(health({ health: 'healthy' }, ago(allowedMs + 1), { healthCheck: check })).toEqual({
      kind: 'proven',
    });
  });
});
