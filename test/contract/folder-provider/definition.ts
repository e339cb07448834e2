import { z } from 'zod';
import type { ProviderDefinition } from '../../../src/compute/provider.ts';
import { folderOperatorBlock, folderSharedKeys, folderTenantBlock } from './config.ts';

/** The sketch's line in the registry. */
export const folderDefinition: ProviderDefinition = {
  name: 'folder',
  durable: true,
  secrets: 'values',
  tenantBlock: folderTenantBlock,
  mergedBlock: folderTenantBlock,
  operatorBlock: folderOperatorBlock,
  policyBlock: z.strictObject({}),
  sharedKeys: folderSharedKeys,
  load: async () => (await import('./provider.ts')).createFolderProvider,
};
