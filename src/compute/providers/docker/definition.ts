import { engineKey } from '../../../api/names.ts';
import type { ProviderDefinition } from '../../provider.ts';
import {
  dockerMergedBlock,
  dockerOperatorBlock,
  dockerPolicyBlock,
  dockerSharedKeys,
  dockerTenantBlock,
} from './config.ts';

export const dockerDefinition: ProviderDefinition = {
  name: 'docker',
  durable: true,
  secrets: 'values',
  tenantBlock: dockerTenantBlock,
  mergedBlock: dockerMergedBlock,
  operatorBlock: dockerOperatorBlock,
  policyBlock: dockerPolicyBlock,
  sharedKeys: dockerSharedKeys,
  labelled: { engine: engineKey },
  environment: { host: 'DOCKER_HOST' },
  load: async () => (await import('./provider.ts')).createDockerProvider,
};
