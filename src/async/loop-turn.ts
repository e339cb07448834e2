/** How long work goes on without giving timers, sockets and signals a chance. */
export interface LoopTurn {
  /** Whether this turn of the event loop has taken as long as it may. */
  isOver(): boolean;
  /** Runs `work` in the next turn. */
  next(work: () => void): void;
}

/** Begins with the first question in a turn, and ends with that. */
export function createLoopTurn(mostMs: number): LoopTurn {
  let beganMs: number | undefined;
  return {
    isOver() {
      if (beganMs === undefined) {
        beganMs = performance.now();
        setImmediate(() => void (beganMs = undefined));
      }
      return performance.now() - beganMs >= mostMs;
    },
    next: (work) => void setImmediate(work),
  };
}
