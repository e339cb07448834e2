import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPendingStops } from '../../../../../../src/compute/providers/docker/converge/stops/pending-stops.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Stops of containers that end when the test says so. */
function bench() {
  const told: string[] = [];
  const calls: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const signals: AbortSignal[] = [];
  const stops = createPendingStops((tenantId) => told.push(tenantId));
  const pass = new AbortController();
  const stop = async (tenantId: string, ...ids: string[]): Promise<unknown> =>
    stops
      .stop(
        tenantId,
        new Map(
          ids.map((id) => [
            id,
            async (signal) => {
              calls.push(id);
              signals.push(signal);
              const gate = Promise.withResolvers<void>();
              gates.set(id, gate);
              return gate.promise;
            },
          ]),
        ),
        pass.signal,
      )
      .catch((error: unknown) => error);
  const end = (id: string, error?: Error): void =>
    error === undefined ? gates.get(id)?.resolve() : gates.get(id)?.reject(error);
  return { stops, stop, end, told, calls, signals, pass };
}

test('whoever ends within a moment is waited for, and nobody is told', async () => {
  const { stop, end, told } = bench();
  const stopped = stop('acme', 'a', 'b');
  end('a');
  end('b');
  expect(await stopped).toBe(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([]);
});

test('whoever takes longer is stopped by one call, and its end is told', async () => {
  const { stop, end, told, calls } = bench();
  const first = stop('acme', 'a', 'b');
  end('a');
  await vi.advanceTimersByTimeAsync(500);
  expect(await first).toBe(false);
  const again = stop('acme', 'b');
  await vi.advanceTimersByTimeAsync(500);
  expect(await again).toBe(false);
  expect(calls).toEqual(['a', 'b']);
  expect(told).toEqual([]);
  end('b');
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['acme']);
  void stop('acme', 'b');
  expect(calls).toEqual(['a', 'b', 'b']);
});

test('what fails later is told, heard of once by whoever asks, and tried again by the next', async () => {
  const { stop, end, told, calls } = bench();
  const first = stop('acme', 'a');
  await vi.advanceTimersByTimeAsync(500);
  expect(await first).toBe(false);
  const error = new Error('the shim is frozen');
  end('a', error);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['acme']);
  expect(await stop('acme', 'a')).toBe(error);
  expect(calls).toEqual(['a']);
  const retried = stop('acme', 'a');
  expect(calls).toEqual(['a', 'a']);
  await vi.advanceTimersByTimeAsync(500);
  expect(await retried).toBe(error);
  end('a');
  await vi.advanceTimersByTimeAsync(0);
  const anew = stop('acme', 'a');
  await vi.advanceTimersByTimeAsync(500);
  expect(await anew).toBe(false);
});

test('a pass that is aborted stops waiting, and the stops go on', async () => {
  const { stop, end, calls, pass, signals } = bench();
  const stopped = stop('acme', 'a');
  const reason = new Error('enough');
  pass.abort(reason);
  expect(await stopped).toBe(reason);
  expect(signals[0]?.aborted).toBe(false);
  expect(await stop('acme', 'c')).toBe(reason);
  expect(calls).toEqual(['a']);
  end('a');
});

test('all are given up at the end, and nobody is told', async () => {
  const { stop, stops, end, told, signals } = bench();
  const first = stop('acme', 'a');
  await vi.advanceTimersByTimeAsync(500);
  await first;
  stops.close();
  expect(signals[0]?.aborted).toBe(true);
  end('a', new Error('aborted'));
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual([]);
});

test('what makes room is left to itself once nobody waits for it, until somebody asks for something else', async () => {
  const { stops, pass } = bench();
  const gate = Promise.withResolvers<void>();
  const calls = new Map([['a', async () => gate.promise]]);
  const room = { isLeft: false };
  const ask = async (what: () => Promise<boolean>): Promise<boolean> => {
    const asked = what();
    expect(room.isLeft).toBe(false);
    await vi.advanceTimersByTimeAsync(500);
    return asked;
  };
  expect(await ask(() => stops.stop('acme', calls, pass.signal, room))).toBe(false);
  expect([stops.makesRoom('a'), room.isLeft]).toEqual([true, true]);
  expect(await ask(() => stops.roomMade('acme', ['a', 'b'], pass.signal))).toBe(false);
  expect(room.isLeft).toBe(false);
  expect(await ask(() => stops.stop('acme', calls, pass.signal, { isLeft: false }))).toBe(false);
  expect(room.isLeft).toBe(true);
  expect(await ask(() => stops.stop('acme', calls, pass.signal))).toBe(false);
  expect(room.isLeft).toBe(false);
  gate.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(stops.makesRoom('a')).toBe(false);
});
