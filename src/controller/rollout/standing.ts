import { timestamp } from '../../api/conditions.ts';
import type { StatusDraft, Verdict } from '../pass.ts';

/** So long one may take to be Ready again before it counts as failed, in milliseconds. */
export const deadlineMs = 600_000;

type Rollout = StatusDraft['rollout'];

/** What becomes of a Tenant's part in a rollout with what a pass has come to. Pure. */
export function standingAfter(
  known: Rollout,
  {
    verdict,
    specHash,
    now,
  }: { readonly verdict: Verdict; readonly specHash: string | undefined; readonly now: Date },
): Rollout {
  if (known === undefined || hasLeft(verdict)) return undefined;
  // Before it has arrived, what is to be rolled out has become something else: that is begun in its place.
  if (specHash !== undefined && specHash !== known.specHash && verdict.kind !== 'rolledBack')
    return { specHash, state: 'Updating', since: timestamp(now) };
  const isLate = now.getTime() - Date.parse(known.since) >= deadlineMs;
  return verdict.kind === 'rolledBack' || isLate ? { ...known, state: 'Failed' } : known;
}

/** It is Ready again, or nobody drives it. */
function hasLeft({ kind }: Verdict): boolean {
  return kind === 'ready' || kind === 'suspended' || kind === 'observed' || kind === 'deleting';
}
