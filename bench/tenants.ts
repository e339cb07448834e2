import { setTimeout as sleep } from 'node:timers/promises';
import { findCondition } from '../src/api/conditions.ts';
import { apiVersion, kind, plural } from '../src/api/names.ts';
import type { Tenant } from '../src/api/tenant.ts';
import { namespace } from './site.ts';
import type { Site } from './site.ts';

export const tenantsPath = `/apis/${apiVersion}/namespaces/${namespace}/${plural}`;

export async function createTenant(site: Site, name: string, spec: Record<string, unknown>): Promise<void> {
  await site.request('POST', tenantsPath, { apiVersion, kind, metadata: { name }, spec });
}

/** At its newest generation. */
export function isReady(tenant: Tenant | undefined): boolean {
  const ready = findCondition(tenant?.status?.conditions, 'Ready');
  return ready?.status === 'True' && tenant?.status?.observedGeneration === tenant?.metadata.generation;
}

export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 300_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await sleep(50);
  }
}

/** Until nothing was added for so many milliseconds. */
export async function untilStill(items: { readonly length: number }, stillMs: number): Promise<void> {
  for (let before = -1; items.length !== before;) {
    before = items.length;
    await sleep(stillMs);
  }
}

/** So many at once. */
export async function inTurns<T>(
  items: readonly T[],
  task: (item: T) => Promise<unknown>,
  atOnce = 8,
): Promise<void> {
  const waiting = [...items].toReversed();
  const work = async (): Promise<void> => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await task(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
