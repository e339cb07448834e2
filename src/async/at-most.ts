import { abortable } from './abortable.ts';

export interface Turn {
  /** Only tasks of the same key stand in line with each other. Default: all of them. */
  readonly key?: string;
  /**
   * Ends the wait, with its reason, when it aborts. A task that waits for its turn does not begin then; one that has
   * begun goes on, and keeps its place until it has ended.
   */
  readonly signal?: AbortSignal;
}

/** Runs `task` when its turn has come, and gives what it gives. */
export type InTurn = <T>(task: () => Promise<T>, turn?: Turn) => Promise<T>;

interface Line {
  running: number;
  readonly waiting: (() => void)[];
}

/**
 * Lets at most `limit` tasks of one key run at once; the others wait in order, whatever becomes of those before. A limit
 * that changes, and is 1 at least, counts from the next task on that begins or ends.
 */
export function atMost(limit: number | (() => number)): InTurn {
  const most = typeof limit === 'number' ? (): number => limit : limit;
  const lines = new Map<string, Line>();

  const runInLine = async <T>(task: () => Promise<T>, { key = '', signal }: Turn): Promise<T> => {
    const line = lines.get(key) ?? { running: 0, waiting: [] };
    lines.set(key, line);
    if (line.running < most()) line.running += 1;
    else await new Promise<void>((resolve) => line.waiting.push(resolve));
    try {
      signal?.throwIfAborted();
      return await task();
    } finally {
      line.running -= 1;
      // The place is handed on at once, so that nobody slips in between.
      while (line.running < most() && line.waiting.length > 0) {
        line.running += 1;
        line.waiting.shift()?.();
      }
      if (line.running === 0) lines.delete(key);
    }
  };

  return (task, turn = {}) => {
    const run = runInLine(task, turn);
    return turn.signal === undefined ? run : abortable(run, turn.signal);
  };
}
