import type { ConditionStatus, Reason } from '../../src/api/conditions.ts';
import type { ComputeStatusBlock, TenantStatus } from '../../src/api/status.ts';
import type { Tenant } from '../../src/api/tenant.ts';

export const running: ComputeStatusBlock = { state: 'running', health: 'healthy', running: 1, desired: 1 };

/** A Tenant as the apiserver would serve it, at generation 2. */
export function tenantWith(
  status?: TenantStatus,
  metadata: Partial<Tenant['metadata']> = {},
  spec: unknown = {},
): Tenant {
  return {
    apiVersion: 'landlord.dev/v1alpha1',
    kind: 'Tenant',
    metadata: {
      name: 'acme',
      namespace: 'team-a',
      uid: '5d6f',
      generation: 2,
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

/** A status whose condition Ready is this, of something that runs. */
export function statusOf(
  ready: ConditionStatus,
  reason: Reason,
  more: Partial<TenantStatus> & { readonly message?: string } = {},
): TenantStatus {
  const { message = reason, ...rest } = more;
  return {
    observedGeneration: 2,
    computeProvider: 'docker',
    placement: { provider: 'docker' },
    compute: running,
    conditions: [
      { type: 'Ready', status: ready, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' },
    ],
    ...rest,
  };
}

/** The spec of a Tenant that names the docker provider's image alone, or more of its block. */
export const image = (name: string, more: Record<string, unknown> = {}) => ({
  computeConfig: { docker: { image: name, ...more } },
});

/** Where a scripted docker provider keeps the tenant team-a/acme. */
export const key = 'team-a-acme-9201d5e7@docker';
