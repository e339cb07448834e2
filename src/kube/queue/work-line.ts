import { createFairLine } from './fair-line.ts';
import type { Standing } from './fair-line.ts';

/**
 * What a key is asked for, the most urgent first: somebody has changed it; something has happened that concerns it; what
 * failed is tried again; everything is looked at once.
 */
export const urgencies = ['change', 'hint', 'retry', 'sweep'] as const;
export type Urgency = (typeof urgencies)[number];

export function moreUrgent(a: Urgency, b: Urgency): Urgency {
  return urgencies.indexOf(a) <= urgencies.indexOf(b) ? a : b;
}

/** Keys that wait for one kind of worker: by urgency, and fairly among their groups within each. */
export interface WorkLine {
  put(waiting: Waiting): Standing;
  /** Takes out the one whose turn it is. */
  take(): string | undefined;
  readonly size: number;
}

export interface Waiting {
  readonly key: string;
  readonly group: string;
  readonly urgency: Urgency;
}

/** Every eighth turn goes to what is less urgent than a change, where it waits: nobody can starve it. */
const lessUrgentEvery = 8;

export function createWorkLine(): WorkLine {
  const lines = {
    change: createFairLine(),
    hint: createFairLine(),
    retry: createFairLine(),
    sweep: createFairLine(),
  } satisfies Record<Urgency, unknown>;
  let turns = 0;

  return {
    put: ({ key, group, urgency }) => lines[urgency].put(key, group),
    take() {
      turns += 1;
      const order = turns % lessUrgentEvery === 0 ? lessUrgentFirst(turns / lessUrgentEvery) : urgencies;
      for (const urgency of order) {
        const key = lines[urgency].take();
        if (key !== undefined) return key;
      }
      return undefined;
    },
    get size() {
      return lines.change.size + lines.hint.size + lines.retry.size + lines.sweep.size;
    },
  };
}

const orders: readonly (readonly Urgency[])[] = [
  ['sweep', 'hint', 'retry', 'change'],
  ['retry', 'sweep', 'hint', 'change'],
  ['hint', 'retry', 'sweep', 'change'],
];

/** Each of them in turn. */
function lessUrgentFirst(time: number): readonly Urgency[] {
  return orders[(time - 1) % orders.length] ?? urgencies;
}
