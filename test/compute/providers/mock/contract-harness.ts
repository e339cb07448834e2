import type { Provider } from '../../../../src/compute/provider.ts';
import { createMockProvider } from '../../../../src/compute/providers/mock/provider.ts';
import type { ContractCase } from '../../../contract/provider-contract.ts';
import { mockContext, mockSpec } from './mock-spec.ts';

export const contractCases: readonly ContractCase[] = [
  {
    name: 'mock',
    makeHarness: async () => ({
      provider: (instance = 'default') =>
        createMockProvider({ block: {}, policy: {} }, { ...mockContext(), instance }) as Provider,
      spec: (tenantId, state) => ({
        // So that a workload that starts anew is told from one that goes on.
        ...mockSpec({ state, ready_after_ms: 60 }, tenantId),
        tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' },
      }),
      writes: undefined,
      occupy: undefined,
      silent: undefined,
      close: async () => undefined,
    }),
  },
];
