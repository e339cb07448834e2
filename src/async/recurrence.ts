import { backoffMs } from './backoff.ts';

/** The same thing again and again, which is to come ever more slowly. */
export interface Recurrence {
  readonly what: string;
  /** In a row. */
  readonly count: number;
  /** Date.now() from which on it may be done. */
  readonly heldUntil: number;
}

/** So many times in a row at once: people and crashes come singly. */
const free = 2;
/** Undisturbed for this long, or for twice the last wait, it begins anew. */
const quietMs = 60_000;

/** Pure: `before`, and once more. */
export function recurred(before: Recurrence | undefined, what: string, nowMs: number): Recurrence {
  const goesOn =
    before?.what === what && nowMs - before.heldUntil < Math.max(quietMs, 2 * waitMs(before.count));
  const count = goesOn ? before.count + 1 : 1;
  return { what, count, heldUntil: nowMs + waitMs(count) };
}

function waitMs(count: number): number {
  return count <= free ? 0 : backoffMs(count - free - 1, { baseMs: 1000, capMs: 300_000, jitter: 'none' });
}
