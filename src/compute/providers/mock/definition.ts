import { z } from 'zod';
import type { ProviderDefinition } from '../../provider.ts';
import { mockOperatorBlock, mockSharedKeys, mockTenantBlock } from './config.ts';

export const mockDefinition: ProviderDefinition = {
  name: 'mock',
  durable: false,
  secrets: 'values',
  tenantBlock: mockTenantBlock,
  mergedBlock: mockTenantBlock,
  operatorBlock: mockOperatorBlock,
  policyBlock: z.strictObject({}).describe('The mock provider needs no policy.'),
  sharedKeys: mockSharedKeys,
  load: async () => (await import('./provider.ts')).createMockProvider,
};
