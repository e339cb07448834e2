import { timestamp } from '../../api/conditions.ts';
import type { Placement, TenantStatus } from '../../api/status.ts';
import { isSamePlace } from '../../compute/place.ts';
import { note } from '../pass.ts';
import type { Pass, StatusDraft } from '../pass.ts';

/**
 * Data that was gone when it was needed. The status says so before anything is made in its place, so that no crash can
 * leave something empty behind of which nobody knows that it was not so before.
 */

/** How long a loss stands in the status: whoever looks after the tenant was told by an Event, too. */
const shownMs = 3_600_000;

type Lost = StatusDraft['lost'];

/** What is known of the data at a place that becomes the tenant's: what it left there. */
export function dataAt(place: Placement, { retained }: Pick<StatusDraft, 'retained'>): readonly string[] {
  const there = retained.filter(({ placement }) => isSamePlace(placement, place));
  return [...new Set(there.map(({ resource }) => resource))].toSorted();
}

/** It is the tenant's no longer, until it is seen in use again: that may be lost in its turn. */
export function noteLost(pass: Pass, resources: readonly string[]): void {
  if (resources.length === 0) return;
  const { deps, draft } = pass;
  const since = timestamp(deps.now());
  const provider = draft.placement?.provider ?? '';
  const lost = resources.map((resource) => ({ provider, resource, since }));
  const before = draft.lost.filter(({ resource }) => !resources.includes(resource));
  note(pass, {
    data: draft.data.filter((resource) => !resources.includes(resource)),
    lost: [...before, ...lost],
  });
}

/** What is to be shown by now. */
export function shownLost(lost: Lost, now: Date): Lost {
  return lost.filter(({ since }) => leftMs(since, now) > 0);
}

/** Milliseconds until there is less to be shown; undefined: there is nothing. */
export function shownForMs({ lost = [] }: Pick<TenantStatus, 'lost'>, now: Date): number | undefined {
  return lost.length === 0
    ? undefined
    : Math.min(...lost.map(({ since }) => Math.max(0, leftMs(since, now))));
}

function leftMs(since: string, now: Date): number {
  return Date.parse(since) + shownMs - now.getTime();
}

/** In words, for a condition and an Event. */
export function lostMessage(lost: Lost): string {
  return `${lost.map(({ resource }) => resource).join(', ')} was lost, and is made anew without what was in it`;
}
