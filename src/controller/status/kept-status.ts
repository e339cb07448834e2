import { tenantStatus } from '../../api/status.ts';
import type { TenantStatus } from '../../api/status.ts';

/**
 * `status` itself where all of it is as the schema has it. Else what of it is: an older operator, or a hand, wrote
 * something that the CRD would now refuse with everything that is written beside it.
 */
export function keptStatus(status: TenantStatus): TenantStatus {
  if (tenantStatus.safeParse(status).success) return status;
  const kept: [string, unknown][] = [];
  for (const [key, schema] of Object.entries(tenantStatus.shape)) {
    const value: unknown = status[key as keyof TenantStatus];
    if (value === undefined) continue;
    const whole = schema.safeParse(value).success ? value : keptItems(key, value);
    if (whole !== undefined) kept.push([key, whole]);
  }
  return { observedGeneration: -1, ...Object.fromEntries(kept) };
}

/** Of a list, the items that are right: one that is wrong must not take the place of another with it. */
function keptItems(key: string, value: unknown): unknown[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const schema = tenantStatus.shape[key as keyof TenantStatus];
  return value.filter((item) => schema.safeParse([item]).success);
}
