/** Started by leftovers.ts: waits for its parent to die, then removes what the parent left behind. */
import { createInterface } from 'node:readline';
import { removeLeftover } from './leftovers.ts';
import type { Leftover, WatchdogOrder } from './leftovers.ts';

const leftovers = new Map<number, Leftover>();

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as WatchdogOrder;
  if ('remember' in order) leftovers.set(order.id, order.remember);
  else leftovers.delete(order.id);
}

// Engines first: what they have started is found by its parent. What is on an engine of others after the processes
// that might make more of it. Folders last: processes write into them.
const order: readonly Leftover['kind'][] = ['engine', 'process', 'tasks', 'shared-engine', 'file', 'folder'];
const remaining = [...leftovers.values()].toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
for (const leftover of remaining) await removeLeftover(leftover).catch(() => undefined);
