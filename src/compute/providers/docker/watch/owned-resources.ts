import type { OwnedResource } from '../../../provider.ts';
import type { Engine } from '../engine/engine.ts';
import { observeContainer } from '../state/observed-container.ts';
import { isOurs, labelFilter } from '../state/ownership.ts';
import type { Labels, Owner } from '../state/ownership.ts';

/** Everything on the engine that this instance made for a tenant of this cluster. */
export async function listOwned(
  engine: Engine,
  prefix: string,
  owner: Owner,
  signal: AbortSignal,
): Promise<readonly OwnedResource[]> {
  const label = labelFilter(prefix, owner);
  const [containers, networks, volumes] = await Promise.all([
    engine.listContainers(label, signal),
    engine.listNetworks({ label }, signal),
    engine.listVolumes(label, signal),
  ]);
  const owned = (resource: string, labels: Labels | undefined): readonly OwnedResource[] => {
    const tenantId = labels?.[`${prefix}.tenant_id`];
    if (tenantId === undefined || !isOurs(prefix, owner, labels)) return [];
    const namespace = labels?.[`${prefix}.tenant_namespace`] ?? '';
    return [{ tenantId, namespace, name: labels?.[`${prefix}.tenant_name`] ?? '', resource }];
  };
  return [
    ...containers.map(observeContainer).flatMap(({ name, labels }) => owned(`container ${name}`, labels)),
    ...networks.flatMap(({ Name, Labels }) => owned(`network ${Name}`, Labels)),
    ...volumes.flatMap(({ Name, Labels }) => owned(`volume ${Name}`, Labels)),
  ];
}
