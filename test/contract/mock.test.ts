import { pino } from 'pino';
import type { Provider } from '../../src/compute/provider.ts';
import { createMockProvider } from '../../src/compute/providers/mock/provider.ts';
import { describeProviderContract } from './provider-contract.ts';

describeProviderContract('mock', async () => ({
  provider: (instance = 'default') =>
    createMockProvider(
      { block: {}, policy: {} },
      {
        instance,
        clusterUid: 'cluster-1',
        logger: pino({ level: 'silent' }),
        policy: { allowed_images: ['*'], max_resources: { cpu: '', memory: '' } },
        sweepIntervalMs: 3_600_000,
      },
    ) as Provider,
  spec: (tenantId, state) => ({
    tenantId,
    tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' },
    containers: [],
    resources: {},
    // So that a workload that starts anew is told from one that goes on.
    config: { state, ready_after_ms: 60 },
    imagePullCredentials: [],
  }),
  writes: undefined,
  occupy: undefined,
  silent: undefined,
  close: async () => undefined,
}));
