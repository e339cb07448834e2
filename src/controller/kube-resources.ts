import { group, plural, version } from '../api/names.ts';
import type { ResourceType } from '../kube/client/resource-paths.ts';

/** The resources that the controller reads and writes. */

export const tenantsResource: ResourceType = { group, version, plural, namespaced: true };
export const secretsResource: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'secrets',
  namespaced: true,
};
export const configMapsResource: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  namespaced: true,
};
export const namespacesResource: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  namespaced: false,
};
