import type Dockerode from 'dockerode';
import type { MarkedTenant, Ownership } from '../../../ownership.ts';
import type { EngineReads } from '../engine/engine.ts';

/** Whose things are meant, and by which marks they are known. */
export interface OwnedTenant {
  readonly ownership: Ownership;
  readonly tenant: MarkedTenant;
}

/** The tenant's own networks, and no one else's. */
export async function tenantNetworks(
  engine: EngineReads,
  { ownership, tenant }: OwnedTenant,
  signal: AbortSignal,
): Promise<readonly Dockerode.NetworkInspectInfo[]> {
  const label = ownership.filter(tenant.tenantId);
  const networks = await engine.listNetworks({ label }, signal);
  return networks.filter(({ Labels }) => ownership.belongsTo(tenant, Labels));
}
