import type { ComputeStatusBlock } from '../../api/status.ts';
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
  const { replicas = seen.compute.running, data = [], lookAgainAfterMs } = seen;
  const compute = withEnds(seen.compute, draft.compute);
  // At a place of before nobody hears what becomes of it.
  if (lookAgainAfterMs !== undefined) deps.lookAgainWithin(keyOf(pass.tenant), lookAgainAfterMs);
  // Without a spec nobody knows what is needed: what it had may be missed later.
  note(pass, { compute, replicas, data: [...new Set([...draft.data, ...data])].toSorted() });
  await completePlaces(pass);
}

/**
 * A look that no spec is at hand for does not know what there was to be done, and was: of a job that is gone, or on its way
 * out, what was seen of its end before still holds. One that is there shows by itself how it stands.
 */
function withEnds(seen: ComputeStatusBlock, before: ComputeStatusBlock | undefined): ComputeStatusBlock {
  const ended = (before?.containers ?? []).filter(({ completed }) => completed !== undefined);
  if (ended.length === 0) return seen;
  const { containers = [] } = seen;
  const gone = ended.filter((job) => !containers.some(({ name }) => name === job.name));
  const shown = containers.map((container) => {
    const { completed } = ended.find(({ name }) => name === container.name) ?? {};
    const isGoing = container.state === 'stopping' && container.completed === undefined;
    return isGoing && completed !== undefined ? { ...container, completed } : container;
  });
  return { ...seen, containers: [...shown, ...gone] };
}
