import { untilAborted } from '../../src/async/until-aborted.ts';

/** A second Ctrl-C within this is the same one: a terminal and npm may both pass it on. */
const sameKeyMs = 400;

/** The exit code of a program that Ctrl-C ended. */
export const interruptedExitCode = 130;

/**
 * Aborts with the first Ctrl-C (or SIGTERM, or a terminal that goes away). The next one ends the program where it
 * stands: the watchdog of dev/leftovers.ts then removes what is left.
 */
export function interruptible(onInterrupt: () => void): AbortSignal {
  const interrupt = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (): void => {
    const now = Date.now();
    if (firstAt === undefined) {
      firstAt = now;
      interrupt.abort();
      onInterrupt();
    } else if (now - firstAt > sameKeyMs) {
      process.exit(interruptedExitCode);
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  // `npm run demo | head`: nobody reads any more.
  process.stdout.on('error', onSignal);
  return interrupt.signal;
}

/** Resolves once `signal` aborts, and keeps the program up until then. */
export async function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const keepAlive = setInterval(() => undefined, 60_000);
  await untilAborted(signal);
  clearInterval(keepAlive);
}
