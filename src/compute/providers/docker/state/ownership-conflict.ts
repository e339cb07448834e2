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
  if (foreign === undefined) return;
  throw ownershipConflict(tenant, { name: foreign.name, labels: foreign.labels }, ownership);
}

interface Holder {
  readonly name: string;
  /** Those of the container that has the name. */
  readonly labels: Marks | undefined;
}

/** `tenant`: in whose way it is. */
export function ownershipConflict(
  tenant: { readonly namespace: string; readonly name: string },
  { name, labels }: Holder,
  ownership: Ownership,
): ComputeError {
  const isCopy = ownership.isOurs(labels) && !bearsOwnName(name, labels ?? {}, ownership);
  const whose = isCopy
    ? 'bears labels that were copied from another container'
    : ownership.describe(tenant, labels);
  return new ComputeError(
    'ProviderConflict',
    `container ${name} exists and ${whose}. Remove it, or give the tenant another tenantId`,
    { forLog: ownership.identify(labels) },
  );
}
