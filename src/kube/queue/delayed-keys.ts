import { createDelayHeap } from './delay-heap.ts';
import type { Urgency } from './work-line.ts';

/** Keys that are to be looked at later, and the one timer that says when. */
export interface DelayedKeys {
  /** The earliest of several wins. */
  schedule(key: string, delayMs: number, urgency: Urgency): void;
  cancel(key: string): void;
  has(key: string): boolean;
  /** From here on, what is due is told; before, it only gathers. */
  start(): void;
  /** Forgets all, and tells nothing more. */
  stop(): void;
}

/** setTimeout takes 31 bits at most; whatever lies further off is looked at again then. */
const longestTimerMs = 2 ** 31 - 1;

export function createDelayedKeys(onDue: (key: string, urgency: Urgency) => void): DelayedKeys {
  const heap = createDelayHeap();
  const urgencies = new Map<string, Urgency>();
  let isTelling = false;
  let timer: NodeJS.Timeout | undefined;

  function armTimer(): void {
    clearTimeout(timer);
    const dueAtMs = heap.nextDueAtMs();
    if (dueAtMs === undefined || !isTelling) return;
    timer = setTimeout(wake, Math.min(Math.max(0, dueAtMs - performance.now()), longestTimerMs));
  }

  function wake(): void {
    for (const key of heap.takeDue(performance.now())) {
      const urgency = urgencies.get(key) ?? 'hint';
      urgencies.delete(key);
      onDue(key, urgency);
    }
    armTimer();
  }

  return {
    schedule(key, delayMs, urgency) {
      if (!heap.schedule(key, performance.now() + delayMs)) return;
      urgencies.set(key, urgency);
      armTimer();
    },
    cancel(key) {
      heap.cancel(key);
      urgencies.delete(key);
    },
    has: (key) => heap.has(key),
    start() {
      isTelling = true;
      armTimer();
    },
    stop() {
      isTelling = false;
      clearTimeout(timer);
      heap.clear();
      urgencies.clear();
    },
  };
}
