import { item, placed } from '../finding.ts';
import type { Placed, Step } from '../finding.ts';
import { entryOf, isDict } from '../read/scalars.ts';

/** Maps whose keys are somebody's own words. */
const verbatim: ReadonlySet<string> = new Set(['tags', 'options']);

/**
 * `value` piece by piece, its keys as a Tenant has them, so that what a Tenant can't say of it is left out alone. What is empty
 * or not there is left out.
 */
export function pieces(at: readonly Step[], value: unknown, from: string): readonly Placed[] {
  if (isEmpty(value)) return [];
  const last = at.at(-1);
  if (isDict(value) && !(typeof last === 'string' && verbatim.has(last)))
    return Object.entries(value).flatMap(([key, one]) =>
      pieces([...at, snakeCase(key)], one, `${from}.${key}`),
    );
  if (Array.isArray(value) && value.every(isDict))
    return value.flatMap((one, index) => pieces([...at, item(String(index))], one, `${from}[${index}]`));
  return [placed(at, value, from)];
}

/** Words that a Tenant has as Terraform has them. */
const otherWords: Readonly<Record<string, string>> = {
  deploymentCircuitBreaker: 'circuit_breaker',
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
