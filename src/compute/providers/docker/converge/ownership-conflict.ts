import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import type { EngineReads } from '../engine/engine.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/** Throws ProviderConflict where the engine holds containers of this tenant id that are someone else's. */
export function assertBelongsTo(
  containers: readonly ObservedContainer[],
  tenant: { readonly namespace: string; readonly name: string },
  ownership: Ownership,
): void {
  const foreign = containers.find(({ labels }) => !ownership.belongsTo(tenant, labels));
  if (foreign !== undefined) throw conflictWith(foreign.name, ownership.describe(foreign.labels));
}

/** The name is taken by something that no list of ours shows. */
export async function conflict(
  engine: EngineReads,
  name: string,
  ownership: Ownership,
  signal: AbortSignal,
): Promise<ComputeError> {
  const holder = await engine.inspectContainer(name, signal);
  return conflictWith(name, ownership.describe(holder?.Config.Labels));
}

function conflictWith(name: string, owner: string): ComputeError {
  return new ComputeError(
    'ProviderConflict',
    `container ${name} exists and ${owner}. Remove it, or give the tenant another tenantId`,
  );
}
