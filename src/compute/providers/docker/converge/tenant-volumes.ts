import type Dockerode from 'dockerode';
import { ComputeError } from '../../../errors.ts';
import type { DesiredTenant, DockerSettings } from '../state/desired.ts';
import type { Engine } from '../engine/engine.ts';
import type { TenantMarks } from './networks.ts';
import { describeOwner, isTenants, labelFilter, tenantLabels } from '../state/ownership.ts';

interface VolumeParts {
  readonly engine: Engine;
  readonly settings: DockerSettings;
}

/** Makes the tenant's named volumes. Rejects with ProviderConflict where one of that name is someone else's. */
export async function ensureVolumes(
  { engine, settings: { block, owner } }: VolumeParts,
  { tenantId, tenant, containers }: DesiredTenant,
  signal: AbortSignal,
): Promise<void> {
  const prefix = block.label_prefix;
  const names = containers.flatMap(({ volumes }) =>
    volumes.filter(({ named }) => named).map(({ source }) => source),
  );
  for (const Name of new Set(names)) {
    // Creating one that exists answers with the one that exists, whoever made it.
    const Labels = tenantLabels(prefix, owner, { tenantId, tenant });
    const volume =
      (await engine.inspectVolume(Name, signal)) ?? (await engine.createVolume({ Name, Labels }, signal));
    if (isTenants(prefix, owner, tenant)(volume.Labels) && volume.Labels[`${prefix}.tenant_id`] === tenantId)
      continue;
    throw new ComputeError(
      'ProviderConflict',
      `volume ${Name} exists and ${describeOwner(prefix, volume.Labels)}. Remove it, or name the volume otherwise`,
    );
  }
}

export async function tenantVolumes(
  engine: Engine,
  { prefix, owner, tenantId, tenant }: TenantMarks,
  signal: AbortSignal,
): Promise<readonly Dockerode.VolumeInspectInfo[]> {
  const volumes = await engine.listVolumes(labelFilter(prefix, owner, tenantId), signal);
  return volumes.filter(({ Labels }) => isTenants(prefix, owner, tenant)(Labels));
}
