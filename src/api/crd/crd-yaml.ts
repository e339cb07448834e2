import { stringify } from 'yaml';
import { tenantCrd } from './crd.ts';
import type { TenantBlocks } from '../tenant.ts';

/** The CustomResourceDefinition of Tenant as YAML, the text of crds/ and of `landlord crd`. */
export function crdYaml(blocks: TenantBlocks): string {
  // kubectl reads YAML 1.1, where a bare `no` is false: strings that only YAML 1.1 takes for something else are quoted.
  return stringify(tenantCrd(blocks), { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 });
}
