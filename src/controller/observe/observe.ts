import { keyOf } from '../../kube/client/kube-object.ts';
import { attended } from '../attended-provider.ts';
import { note, placeAt } from '../pass.ts';
import type { Pass } from '../pass.ts';
import { completePlaces } from '../steps/complete-places.ts';

/** What runs where it is by now, whatever the spec says. Rejects as `Provider.getStatus` does. */
export async function observe(pass: Pass): Promise<void> {
  const { deps, draft, signal } = pass;
  if (draft.placement === undefined) return;
  const enabled = deps.providers.get(draft.placement.provider);
  if (enabled === undefined) return;
  const { provider } = attended(pass, enabled);
  const at = placeAt(pass, draft.placement);
  const seen = await provider.getStatus(at, undefined, { fresh: false, signal });
  const { compute, replicas = compute.running, data = [], lookAgainAfterMs } = seen;
  // At a place of before nobody hears what becomes of it.
  if (lookAgainAfterMs !== undefined) deps.lookAgainWithin(keyOf(pass.tenant), lookAgainAfterMs);
  // Without a spec nobody knows what is needed: what it had may be missed later.
  note(pass, { compute, replicas, data: [...new Set([...draft.data, ...data])].toSorted() });
  await completePlaces(pass);
}
