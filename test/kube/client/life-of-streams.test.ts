import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startDeadline } from '../../../src/async/deadline.ts';
import { objectStream } from '../../../src/kube/client/http-exchange.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('the answers of its connection count for a stream, but for 90 s after its own last byte at most', async () => {
  const deadline = startDeadline({ timeoutMs: 1_000_000 });
  const answer = { statusCode: 200, headers: {}, body: new PassThrough() };
  const living = objectStream({ ...answer, lifeAtMs: () => performance.now() }, deadline);
  const other = objectStream(answer, deadline);
  const beganAtMs = performance.now();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([living.lastByteAtMs - beganAtMs, other.lastByteAtMs - beganAtMs]).toEqual([60_000, 0]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(living.lastByteAtMs - beganAtMs).toBe(90_000);
  expect([living.provesLife, other.provesLife]).toEqual([true, false]);
  deadline.clear();
});
