import { ComputeError } from '../../../errors.ts';
import type { Marks, Ownership } from '../../../ownership.ts';
import type { ObservedContainer } from './observed-container.ts';
import { bearsOwnName } from './own-containers.ts';

/** Throws ProviderConflict where the engine holds containers of this tenant id that are someone else's. */
export function assertBelongsTo(
  containers: readonly ObservedContainer[],
  tenant: { readonly namespace: string; readonly name: string },
  ownership: Ownership,
): void {
  const foreign = containers.find(({ labels }) => !ownership.belongsTo(tenant, labels));
  if (foreign !== undefined) throw ownershipConflict(foreign.name, foreign.labels, ownership);
}

/** `labels`: those of the container that has the name. */
export function ownershipConflict(
  name: string,
  labels: Marks | undefined,
  ownership: Ownership,
): ComputeError {
  const isCopy = ownership.isOurs(labels) && !bearsOwnName(name, labels ?? {}, ownership);
  const whose = isCopy ? 'bears labels that were copied from another container' : ownership.describe(labels);
  return new ComputeError(
    'ProviderConflict',
    `container ${name} exists and ${whose}. Remove it, or give the tenant another tenantId`,
  );
}
