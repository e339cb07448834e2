import { findCondition } from '../api/conditions.ts';
import type { Tenant } from '../api/tenant.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import type { ReflectorMetrics } from '../kube/cache/watch-loop.ts';
import type { Metrics } from '../observability/metrics.ts';

/** What is measured of the cluster: its watches, and the Tenants in it. */

export function reflectorMetrics(metrics: Metrics): ReflectorMetrics {
  return {
    onRelist: (name) => metrics.watchRelists.inc({ resource: name }),
    onReconnect: (name, reason) => metrics.watchReconnects.inc({ resource: name, reason }),
    onEvent: (name) => metrics.watchEvents.inc({ resource: name }),
  };
}

export function countTenants({ tenants }: Metrics, cache: Reflector<Tenant> | undefined): void {
  tenants.reset();
  for (const { status } of cache?.values() ?? []) {
    const reason = findCondition(status?.conditions, 'Ready')?.reason ?? 'Pending';
    tenants.inc({ provider: status?.computeProvider ?? '', reason });
  }
}
