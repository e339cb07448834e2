import type Dockerode from 'dockerode';
import { ComputeError } from '../../../errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { DesiredTenant } from '../state/desired-tenant.ts';
import type { ConvergeDeps } from './converge-deps.ts';
import type { OwnedTenant } from './tenant-networks.ts';

/** Makes the tenant's named volumes. Rejects with ProviderConflict where one of that name is someone else's. */
export async function ensureVolumes(
  { engine, settings: { ownership } }: Pick<ConvergeDeps, 'engine' | 'settings'>,
  desired: DesiredTenant,
  signal: AbortSignal,
): Promise<void> {
  const names = desired.containers.flatMap(({ volumes }) =>
    volumes.filter(({ named }) => named).map(({ source }) => source),
  );
  for (const Name of new Set(names)) {
    // Creating one that exists answers with the one that exists, whoever made it.
    const { Labels } =
      (await engine.inspectVolume(Name, signal)) ??
      (await engine.createVolume({ Name, Labels: { ...desired.marks } }, signal));
    const isIts =
      ownership.belongsTo(desired, Labels) && ownership.tenantOf(Labels)?.tenantId === desired.tenantId;
    if (isIts) continue;
    throw new ComputeError(
      'ProviderConflict',
      `volume ${Name} exists and ${ownership.describe(Labels)}. Remove it, or name the volume otherwise`,
    );
  }
}

export async function tenantVolumes(
  engine: Engine,
  { ownership, tenant }: OwnedTenant,
  signal: AbortSignal,
): Promise<readonly Dockerode.VolumeInspectInfo[]> {
  const volumes = await engine.listVolumes(ownership.filter(tenant.tenantId), signal);
  return volumes.filter(({ Labels }) => ownership.belongsTo(tenant, Labels));
}
