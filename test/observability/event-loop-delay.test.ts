import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { eventLoopDelay } from '../../src/observability/event-loop-delay.ts';

const busyMs = 60;

function keepBusy(): void {
  for (const end = performance.now() + busyMs; performance.now() < end;);
}

test('what keeps the event loop busy is told at the next scrape, and no longer at the one after', async () => {
  const gauge = eventLoopDelay(new Registry());
  const latest = async (): Promise<number> => {
    const { values } = await gauge.get();
    return values.find(({ labels }) => labels.quantile === 1)?.value ?? 0;
  };
  // The first look at the loop has none before it to be late after.
  let seen = 0;
  while (seen < (busyMs - 15) / 1_000) {
    await sleep(15);
    keepBusy();
    await sleep(15);
    seen = await latest();
  }
  // No turn came between these two.
  expect(await latest()).toBe(0);
});
