import { entryOf, isDict } from '../read/scalars.ts';

/** `value` with its keys as a Tenant has them; what is empty or not there is left out. */
export function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (!isDict(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => !isEmpty(one))
      .map(([key, one]) => [snakeCase(key), snakeCased(one)]),
  );
}

/** Words that a Tenant has as Terraform has them. */
const otherWords: Readonly<Record<string, string>> = {
  sizeInGiB: 'size_in_gb',
  filesystemType: 'file_system_type',
};

/** `enableECSManagedTags` is `enable_ecs_managed_tags`. */
export function snakeCase(key: string): string {
  const other = entryOf(otherWords, key);
  if (other !== undefined) return other;
  return key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return Array.isArray(value) ? value.length === 0 : isDict(value) && Object.keys(value).length === 0;
}
