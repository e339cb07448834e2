import { backoffMs } from './backoff.ts';

/** The same thing again and again, which is to come ever more slowly. */
export interface Recurrence {
  readonly what: string;
  /** In a row. */
  readonly count: number;
  /** Date.now() from which on it may be done. */
  readonly heldUntil: number;
}

/** How fast it may come. */
export interface Pace {
  /** So many times in a row at once. */
  readonly free: number;
  /** The first wait, doubled with each time. */
  readonly baseMs: number;
}

/** People and crashes come singly. */
const usualPace: Pace = { free: 2, baseMs: 1000 };
const capMs = 300_000;
/** Undisturbed for this long, or for twice the last wait, it begins anew. */
const quietMs = 60_000;

/** Pure: `before`, and once more. */
export function recurred(
  before: Recurrence | undefined,
  what: string,
  nowMs: number,
  pace = usualPace,
): Recurrence {
  const goesOn =
    before?.what === what && nowMs - before.heldUntil < Math.max(quietMs, 2 * waitMs(before.count, pace));
  const count = goesOn ? before.count + 1 : 1;
  return { what, count, heldUntil: nowMs + waitMs(count, pace) };
}

function waitMs(count: number, { free, baseMs }: Pace): number {
  return count <= free ? 0 : backoffMs(count - free - 1, { baseMs, capMs, jitter: 'none' });
}
