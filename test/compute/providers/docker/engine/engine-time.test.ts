import { describe, expect, it } from 'vitest';
import { engineTimeKeeper } from '../../../../../src/compute/providers/docker/engine/engine-time.ts';

/** An engine whose clock is `aheadMs` ahead of ours, asked at moments that are far apart and take `latencyMs`. */
function engine(aheadMs: number, latencyMs = 0) {
  const ours = { ms: Date.parse('2026-01-01T12:00:00.400Z') };
  const clock = { aheadMs };
  const keeper = engineTimeKeeper(() => ours.ms);
  return {
    clock,
    keeper,
    offMs: () => keeper.nowMs() - (ours.ms + clock.aheadMs),
    answer: (afterMs: number): void => {
      ours.ms += afterMs;
      const askedMs = ours.ms;
      ours.ms += latencyMs;
      keeper.take({ date: new Date(askedMs + clock.aheadMs).toUTCString(), askedMs, answeredMs: ours.ms });
    },
  };
}

describe("the engine's time", () => {
  it('is ours before it has answered, and where it does not tell', () => {
    const { keeper } = engine(0);
    const before = keeper.nowMs();
    keeper.take({ date: undefined, askedMs: before, answeredMs: before });
    keeper.take({ date: 'yesterday', askedMs: before, answeredMs: before });
    expect(keeper.nowMs()).toBe(before);
  });

  it.each([600_000, -600_000, 0])(
    'is told by its first answer to the second, never ahead, with a clock that is off by %i ms',
    (aheadMs) => {
      const { answer, offMs } = engine(aheadMs, 30);
      answer(0);
      expect(offMs()).toBeLessThanOrEqual(0);
      expect(offMs()).toBeGreaterThan(-1_030);
    },
  );

  it('is told closer by each answer', () => {
    const { answer, offMs } = engine(600_000, 5);
    for (let asked = 0; asked < 50; asked += 1) answer(1_037);
    expect(offMs()).toBeLessThanOrEqual(0);
    expect(offMs()).toBeGreaterThan(-60);
  });

  it.each([600_000, -600_000])('follows a clock that is set by %i ms', (byMs) => {
    const { clock, answer, offMs } = engine(0);
    answer(0);
    answer(537);
    clock.aheadMs += byMs;
    answer(1_000);
    expect(offMs()).toBeLessThanOrEqual(0);
    expect(offMs()).toBeGreaterThan(-1_000);
  });

  it('tells how long ago it answered, whether its answer was dated or not', () => {
    const { keeper, answer } = engine(600_000);
    expect(keeper.silentForMs()).toBe(Infinity);
    answer(0);
    expect(keeper.silentForMs()).toBe(0);
    const now = Date.parse('2026-01-01T12:00:00.400Z');
    keeper.take({ date: undefined, askedMs: now - 9_000, answeredMs: now - 7_000 });
    expect(keeper.silentForMs()).toBe(7_000);
  });
});
