import { tagKeys } from './tags.ts';
import type { Tags } from './tags.ts';

/**
 * The tag `landlord.drain` of a service: `true` where it is to be drained before it is deleted, `from N` once it was
 * scaled from N to 0 for that. So a tenant that comes back to it half-way gets its tasks again.
 */
export const drainWanted = 'true';

const drainingForm = /^from (\d{1,9})$/;

export function drainingFrom(count: number): string {
  return `from ${count}`;
}

/** How many tasks were asked for before the drain; undefined: none has begun. */
export function countBeforeDrain(tags: Tags): number | undefined {
  const count = drainingForm.exec(tags[tagKeys.drain] ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

export function isToBeDrained(tags: Tags): boolean {
  return tags[tagKeys.drain] === drainWanted || countBeforeDrain(tags) !== undefined;
}
