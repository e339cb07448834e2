import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import { allows, consentTo } from '../../../permit.ts';
import type { Permit } from '../../../permit.ts';
import type { DestroyResult, TenantPlace } from '../../../provider.ts';
import { removeAll } from './end-containers.ts';
import { stopBy } from './stops/stop-containers.ts';
import { EngineRefusal } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import type { PendingStops } from './stops/pending-stops.ts';
import { tenantContainers, tenantNetworks } from './tenant-networks.ts';
import type { OwnedTenant } from './tenant-networks.ts';
import { isAnonymous, volumeText } from '../state/volumes/image-volumes.ts';
import { isFilesVolume } from '../state/volumes/files-volume.ts';
import { isUp } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { tenantVolumes } from './tenant-volumes.ts';

/** The engine removes what it was told to within moments; an event tells of containers, none of the rest. */
const lookAgainAfterMs = 1_000;

export interface Destroying {
  readonly engine: Engine;
  readonly ownership: Ownership;
  readonly permit: Permit;
  readonly pendingStops: PendingStops;
  /** The tenant's containers, as they were just listed. */
  readonly listed?: readonly ObservedContainer[] | undefined;
}

/**
 * Removes all that bears the tenant's marks: containers, then what they held; volumes with consent to a loss of data
 * alone. Needs nothing but the placement.
 */
export async function destroyTenant(
  { engine, ownership, permit, pendingStops, listed }: Destroying,
  at: TenantPlace,
  signal: AbortSignal,
): Promise<DestroyResult> {
  const owned = ownedAt(at, ownership);
  const keepsVolumes = !allows(permit, 'data-loss');
  const effect = keepsVolumes ? 'replace' : 'data-loss';
  const consent = consentTo(permit, effect, `removing what there is of ${owned.tenant.tenantId}`);
  const containers = listed ?? (await tenantContainers(engine, owned, signal));
  const ending = { tenantId: at.tenantId, containers: containers.filter(isUp), consent };
  const stopping = await stopBy({ engine, pendingStops }, ending, signal);
  if (stopping !== undefined) return { outcome: 'in_progress', ...stopping };
  const going = await removeAll(engine, containers, consent, signal);
  // They hold what is to be removed after them.
  if (going.length > 0) return removing(going.map(({ name }) => `container ${name}`));
  for (const { Id, Name } of await tenantNetworks(engine, owned, signal)) {
    await refusedAs(`network ${Name}`, () => engine.removeNetwork(Id, consent, signal));
  }
  // They bear no mark: what mounted them is all that tells of them.
  const anonymous = containers.flatMap(({ volumes: held }) =>
    held.map((volume) => volume.name).filter(isAnonymous),
  );
  const named = (await tenantVolumes(engine, owned, signal)).map(({ Name }) => Name);
  // Files are no data: they never stay.
  const removed = keepsVolumes ? named.filter(isFilesVolume) : [...new Set([...named, ...anonymous])];
  for (const volume of removed) {
    await refusedAs(`volume ${volume}`, () => engine.removeVolume(volume, consent, signal));
  }
  const there =
    removed.length === 0 ? named : (await tenantVolumes(engine, owned, signal)).map(({ Name }) => Name);
  const volumes = [
    ...there.filter((volume) => !isFilesVolume(volume)),
    ...(keepsVolumes ? new Set(anonymous) : []),
  ].map(volumeText);
  // Of containers and networks the engine has said itself that each is gone.
  const left = [...there.filter(isFilesVolume).map(volumeText), ...(keepsVolumes ? [] : volumes)];
  if (left.length > 0) return removing(left);
  if (!keepsVolumes || volumes.length === 0) return { outcome: 'gone', message: 'Nothing is left' };
  return { outcome: 'gone', message: `${volumes.join(', ')} is kept`, retained: volumes };
}

/** By the words of the placement. Throws DestroyFailed where they do not tell. */
export function ownedAt({ placement, ...at }: TenantPlace, ownership: Ownership): OwnedTenant {
  const { labelPrefix, tenantId = at.tenantId } = placement as { labelPrefix?: unknown; tenantId?: string };
  if (typeof labelPrefix !== 'string') {
    throw new ComputeError('DestroyFailed', 'status.placement of this tenant does not name its labelPrefix');
  }
  const { namespace, name } = at;
  return { ownership: ownership.withPrefix(labelPrefix), tenant: { tenantId, namespace, name } };
}

function removing(what: readonly string[]): DestroyResult {
  return { outcome: 'in_progress', message: `Removing ${what.join(', ')}`, lookAgainAfterMs };
}

async function refusedAs(what: string, remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof EngineRefusal) || error.kind === 'gone') throw error;
    const inUse =
      error.kind === 'in-use' ? ". A container that is not this tenant's uses it: remove that one" : '';
    throw new ComputeError('DestroyFailed', `${what} can't be removed: ${error.message}${inUse}`, {
      cause: error,
    });
  }
}
