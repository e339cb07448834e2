import { createDelayHeap } from './delay-heap.ts';

/** Keys that are to be looked at later, and the one timer that says when. */
export interface DelayedKeys {
  /** The earliest of several wins. */
  schedule(key: string, delayMs: number): void;
  cancel(key: string): void;
  has(key: string): boolean;
  /** From here on, what is due is told; before, it only gathers. */
  start(): void;
  /** Forgets all, and tells nothing more. */
  stop(): void;
}

/** setTimeout takes 31 bits at most; whatever lies further off is looked at again then. */
const longestTimerMs = 2 ** 31 - 1;

export function createDelayedKeys(onDue: (key: string) => void): DelayedKeys {
  const heap = createDelayHeap();
  let isTelling = false;
  let timer: NodeJS.Timeout | undefined;

  function armTimer(): void {
    clearTimeout(timer);
    const dueAtMs = heap.nextDueAtMs();
    if (dueAtMs === undefined || !isTelling) return;
    timer = setTimeout(wake, Math.min(Math.max(0, dueAtMs - performance.now()), longestTimerMs));
  }

  function wake(): void {
    for (const key of heap.takeDue(performance.now())) onDue(key);
    armTimer();
  }

  return {
    schedule(key, delayMs) {
      heap.schedule(key, performance.now() + delayMs);
      armTimer();
    },
    cancel: (key) => heap.cancel(key),
    has: (key) => heap.has(key),
    start() {
      isTelling = true;
      armTimer();
    },
    stop() {
      isTelling = false;
      clearTimeout(timer);
      heap.clear();
    },
  };
}
