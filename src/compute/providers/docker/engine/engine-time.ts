/** An engine's own time. Ages of containers are counted by it: the operator's clock may be off by any amount. */
export interface EngineTime {
  /** Milliseconds since the epoch, never ahead of the engine's clock as its answers tell it; ours before the first. */
  nowMs(): number;
  /** Milliseconds since it answered last, whatever it said; Infinity: it never has. */
  silentForMs(): number;
}

/** What an answer tells of the engine's clock: its `Date` header, and our clock around it. */
export interface DatedAnswer {
  /** The header, which is cut to whole seconds. */
  readonly date: string | undefined;
  readonly askedMs: number;
  readonly answeredMs: number;
}

export interface EngineTimeKeeper extends EngineTime {
  take(answer: DatedAnswer): void;
}

/** The header leaves out what is less. */
const headerStepMs = 1_000;

/**
 * Each answer bounds by how much the engine's clock is ahead of ours; together they bound it closer than one header
 * can. The lower bound counts, so that nothing is called older than it is. Answers that contradict each other mean that a clock
 * was set: the last one counts.
 */
export function engineTimeKeeper(now: () => number = Date.now): EngineTimeKeeper {
  let answeredMs = -Infinity;
  let ahead = { leastMs: -Infinity, mostMs: Infinity };
  return {
    nowMs: () => now() + (ahead.leastMs === -Infinity ? 0 : ahead.leastMs),
    silentForMs: () => now() - answeredMs,
    take({ date, askedMs, ...answer }) {
      ({ answeredMs } = answer);
      const dateMs = Date.parse(date ?? '');
      if (Number.isNaN(dateMs)) return;
      const told = { leastMs: dateMs - answeredMs, mostMs: dateMs + headerStepMs - askedMs };
      const both = {
        leastMs: Math.max(ahead.leastMs, told.leastMs),
        mostMs: Math.min(ahead.mostMs, told.mostMs),
      };
      ahead = both.leastMs <= both.mostMs ? both : told;
    },
  };
}
