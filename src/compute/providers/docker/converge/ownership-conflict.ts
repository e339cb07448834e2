import { ComputeError } from '../../../errors.ts';
import type { DockerSettings } from '../state/desired.ts';
import type { Engine } from '../engine/engine.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { describeOwner, isTenants } from '../state/ownership.ts';

/** Throws ProviderConflict where the engine holds containers of this tenant id that are someone else's. */
export function assertTenants(
  containers: readonly ObservedContainer[],
  tenant: { readonly namespace: string; readonly name: string },
  { block, owner }: DockerSettings,
): void {
  const ours = isTenants(block.label_prefix, owner, tenant);
  const foreign = containers.find(({ labels }) => !ours(labels));
  if (foreign !== undefined)
    throw conflictWith(foreign.name, describeOwner(block.label_prefix, foreign.labels));
}

/** The name is taken by something that no list of ours shows. */
export async function conflict(
  engine: Engine,
  name: string,
  { block }: DockerSettings,
  signal: AbortSignal,
): Promise<ComputeError> {
  const holder = await engine.inspectContainer(name, signal);
  return conflictWith(name, describeOwner(block.label_prefix, holder?.Config.Labels));
}

function conflictWith(name: string, owner: string): ComputeError {
  return new ComputeError(
    'ProviderConflict',
    `container ${name} exists and ${owner}. Remove it, or give the tenant another tenantId`,
  );
}
