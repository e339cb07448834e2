import type { Tenant } from '../api/tenant.ts';

/**
 * The images that Tenants ask for, as they stand in their specs, and what their statuses say that the tags mean. Of a Tenant that is
 * suspended, held up or not valid, no provider hears; nor, after a start, of one whose turn has not come. So it goes by the keys' name
 * alone, whatever else of a spec may be wrong.
 */
export function askedImages(tenants: Iterable<Pick<Tenant, 'spec' | 'status'>>): ReadonlySet<string> {
  const asked = new Set<string>();
  for (const { spec, status } of tenants) {
    addImages(spec, asked);
    for (const { image, digest } of status?.images?.digests ?? []) asked.add(`${image}@${digest}`);
  }
  return asked;
}

function addImages(value: unknown, asked: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    if (key === 'image' && typeof part === 'string') asked.add(part);
    else addImages(part, asked);
  }
}
