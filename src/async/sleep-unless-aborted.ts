import { untilAborted } from './until-aborted.ts';

/** True after `ms` milliseconds; false as soon as `signal` aborts. */
export async function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await untilAborted(over, signal);
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
