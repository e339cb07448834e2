import type { Reason } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';

const lastTransitionTime = '2026-01-01T00:00:00Z';

/** A Tenant as the apiserver would serve it. */
export function tenant(
  name: string,
  options: { ready?: 'True' | 'False'; reason?: Reason; stalled?: boolean } = {},
): Tenant {
  const { ready = 'True', reason = 'Running', stalled = false } = options;
  const message = '1/1 running and healthy';
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      generation: 1,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    status: {
      observedGeneration: 1,
      computeProvider: 'mock',
      compute: { state: 'running', health: 'healthy', running: 1, desired: 1, replicas: '1/1' },
      conditions: [
        { type: 'Ready', status: ready, reason, message, lastTransitionTime },
        ...(stalled
          ? [{ type: 'Stalled', status: 'True', reason, message, lastTransitionTime } as const]
          : []),
      ],
    },
  };
}
