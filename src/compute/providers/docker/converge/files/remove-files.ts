import type { Consent } from '../../../../permit.ts';
import { EngineRefusal } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import type { DesiredTenant } from '../../state/desired-tenant.ts';
import { isFilesVolume } from '../../state/volumes/files-volume.ts';
import type { OwnedTenant } from '../tenant-networks.ts';
import { tenantVolumes } from '../tenant-volumes.ts';

/** Removes these volumes of files. What a container still has is left to that. */
export async function removeFiles(
  engine: Pick<Engine, 'removeVolume'>,
  names: Iterable<string>,
  consent: Consent,
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) {
    await engine.removeVolume(name, consent, signal).catch((error: unknown) => {
      if (!(error instanceof EngineRefusal)) throw error;
    });
  }
}

/** Of a tenant that has files, those that no container of its spec is to have: left by an operator that died over them. */
export async function removeUnwantedFiles(
  engine: Engine,
  {
    desired,
    consent,
    ...owned
  }: OwnedTenant & { readonly desired: DesiredTenant; readonly consent: Consent },
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Set(desired.containers.flatMap(({ files }) => files.map(({ source }) => source)));
  if (wanted.size === 0) return;
  const names = (await tenantVolumes(engine, owned, signal)).map(({ Name }) => Name);
  const unwanted = names.filter((name) => isFilesVolume(name) && !wanted.has(name));
  await removeFiles(engine, unwanted, consent, signal);
}
