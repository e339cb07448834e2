import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

/** Polls until it holds; fails after two minutes, which only ends a hang. expect.poll knows no concurrent tests. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await holds())) {
    if (Date.now() > deadline) expect.fail(`not within two minutes: ${what}`);
    await sleep(100);
  }
}
