import { expect, vi } from 'vitest';
import type { Tenant } from '../../src/api/tenant.ts';
import type { OperatorProcess } from './operator-process.ts';
import { hangMs } from '../until.ts';
import { isReady } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';

/**
 * Until this process has ended as many passes as there are Tenants, none waits for one, and all are Ready at their
 * generation, with nothing under way. Returns them, by name.
 */
export async function untilPassed(
  { endpoints }: OperatorProcess,
  ns: TestNamespace,
): Promise<ReadonlyMap<string, Tenant>> {
  // The cheapest first: as a rule it tells that it is too early to list.
  const look = async (): Promise<readonly Tenant[]> => {
    expect(await endpoints.sum('landlord_queue_depth')).toBe(0);
    const passes = await endpoints.sum('landlord_reconcile_duration_seconds_count');
    expect(passes).toBeGreaterThan(0);
    const { items } = await ns.tenants.list({ namespace: ns.name });
    expect(passes).toBeGreaterThanOrEqual(items.length);
    const unready = items.filter((tenant) => !isReady(tenant) || conditionsOf(tenant).length !== 1);
    expect(unready.map(({ metadata }) => metadata.name)).toEqual([]);
    return items;
  };
  const tenants = await vi.waitFor(look, { timeout: hangMs, interval: 100 });
  return new Map(tenants.map((tenant) => [tenant.metadata.name, tenant]));
}

/** Those that hold. */
function conditionsOf({ status }: Tenant) {
  return (status?.conditions ?? []).filter((condition) => condition.status === 'True');
}
