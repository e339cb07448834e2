import type { ProviderDefinition } from '../../provider.ts';
import { ecsMergedBlock, ecsOperatorBlock, ecsPolicyBlock, ecsSharedKeys, ecsTenantBlock } from './config.ts';

export const ecsDefinition: ProviderDefinition = {
  name: 'ecs',
  durable: true,
  secrets: 'references',
  tenantBlock: ecsTenantBlock,
  mergedBlock: ecsMergedBlock,
  operatorBlock: ecsOperatorBlock,
  policyBlock: ecsPolicyBlock,
  sharedKeys: ecsSharedKeys,
  load: async () => (await import('./provider.ts')).createEcsProvider,
};
