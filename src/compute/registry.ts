import type { TenantBlocks } from '../api/tenant.ts';
import { unsettable } from '../api/unsettable.ts';
import type { ProviderDefinition } from './provider.ts';
import { dockerDefinition } from './providers/docker/definition.ts';
import { ecsDefinition } from './providers/ecs/definition.ts';
import { mockDefinition } from './providers/mock/definition.ts';

/** Every provider that Landlord has. A new one is a folder under providers/ and a line here. */
export const providerDefinitions: readonly ProviderDefinition[] = [
  dockerDefinition,
  ecsDefinition,
  mockDefinition,
];

/** The providers' blocks for the schema of Tenant: laid over the operator's defaults, null unsets one. */
export const tenantBlocks: TenantBlocks = Object.fromEntries(
  providerDefinitions.map(({ name, tenantBlock }) => [name, unsettable(tenantBlock)]),
);
