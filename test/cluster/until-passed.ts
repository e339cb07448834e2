import { expect, vi } from 'vitest';
import type { Tenant } from '../../src/api/tenant.ts';
import type { OperatorProcess } from './operator-process.ts';
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
  const look = async (): Promise<readonly Tenant[]> => {
    const { items } = await ns.tenants.list({ namespace: ns.name });
    const unready = items.filter((tenant) => !isReady(tenant) || conditionsOf(tenant).length !== 1);
    expect(unready).toEqual([]);
    const passes = await endpoints.sum('landlord_reconcile_duration_seconds_count');
    expect(passes).toBeGreaterThanOrEqual(items.length);
    expect(await endpoints.sum('landlord_queue_depth')).toBe(0);
    return items;
  };
  const tenants = await vi.waitFor(look, { timeout: 120_000, interval: 100 });
  return new Map(tenants.map((tenant) => [tenant.metadata.name, tenant]));
}

/** Those that hold. */
function conditionsOf({ status }: Tenant) {
  return (status?.conditions ?? []).filter((condition) => condition.status === 'True');
}
