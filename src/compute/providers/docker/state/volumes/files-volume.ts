import type { VolumeRules } from './parse-volumes.ts';

/**
 * Volumes that hold files of the spec, and no data of the tenant: what is in them can be had again, and they go with the
 * last container that has them. No volume of a tenant's own has a name with a dot after the underscore. Pure.
 */
export function filesVolumeName(
  { labelPrefix, tenantId }: Pick<VolumeRules, 'labelPrefix' | 'tenantId'>,
  hash: string,
): string {
  return `${labelPrefix}-${tenantId}_.files.${hash}`;
}

export function isFilesVolume(name: string): boolean {
  return /_\.files\.[0-9a-f]{32}$/.test(name);
}
