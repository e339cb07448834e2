import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

/** Less than a test may take, so that what failed is told. Only ends a hang, on a machine that is busy with much else. */
export const hangMs = 220_000;

/** Polls until it holds. expect.poll knows no concurrent tests. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + hangMs;
  while (!(await holds())) {
    if (Date.now() > deadline) expect.fail(`not within ${hangMs / 1_000} s: ${what}`);
    await sleep(100);
  }
}
