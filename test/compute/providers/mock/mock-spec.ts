import { pino } from 'pino';
import type { ProviderContext } from '../../../../src/compute/provider.ts';
import type { MockConfig } from '../../../../src/compute/providers/mock/config.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { hashKey } from '../../hash-key.ts';

/** One for all: each logger opens stdout anew. */
const logger = pino({ level: 'silent' });

/** A tenant's desired state for the mock provider, as the controller would resolve it. */
export function mockSpec(config: MockConfig = {}, tenantId = 'team-a-acme'): TenantComputeSpec {
  return {
    tenantId,
    tenant: { namespace: 'team-a', name: 'acme', uid: '5d6f' },
    containers: [],
    resources: {},
    config,
    imagePullCredentials: [],
  };
}

export function mockContext(): ProviderContext {
  return {
    instance: 'default',
    clusterUid: '8c1e',
    hashKey,
    logger,
    policy: {
      allowed_images: ['*'],
      max_resources: { cpu: '', memory: '' },
      default_resources: { cpu: '', memory: '' },
    },
    sweepIntervalMs: 1000,
  };
}
