import { abortable } from './abortable.ts';

/**
 * One run of `task` for all who ask while it has not begun: each gets an answer that is younger than the question.
 * `signal` ends the wait of one asker, not the run.
 */
export function sharedRun<T>(task: () => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let current: Promise<T> | undefined;
  let next: Promise<T> | undefined;

  const begin = async (): Promise<T> => {
    // Those who ask in the same turn of the event loop share it, and those who ask while another run lasts.
    await new Promise((resolve) => setImmediate(resolve));
    await current?.catch(() => undefined);
    const run = task();
    current = run;
    next = undefined;
    try {
      return await run;
    } finally {
      if (current === run) current = undefined;
    }
  };

  return (signal) => {
    next ??= begin();
    return abortable(next, signal);
  };
}
