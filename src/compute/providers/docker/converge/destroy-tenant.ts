import { ComputeError } from '../../../errors.ts';
import type { DestroyResult, TenantPlace } from '../../../provider.ts';
import { removeAll, stopAll } from './converge-tenant.ts';
import { EngineRefusal } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import { tenantNetworks } from './networks.ts';
import type { TenantMarks } from './networks.ts';
import { observeContainer } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { isTenants, labelFilter } from '../state/ownership.ts';
import type { Owner } from '../state/ownership.ts';
import { tenantVolumes } from './tenant-volumes.ts';

/** The engine removes what it was told to within moments; an event tells of containers, none of the rest. */
const lookAgainAfterMs = 1_000;

/** Removes all that bears the tenant's marks: containers, then what they held. Needs nothing but the placement. */
export async function destroyTenant(
  engine: Engine,
  owner: Owner,
  ref: TenantPlace,
  signal: AbortSignal,
): Promise<DestroyResult> {
  const { labelPrefix, tenantId = ref.tenantId } = ref.placement as {
    labelPrefix?: unknown;
    tenantId?: string;
  };
  if (typeof labelPrefix !== 'string') {
    throw new ComputeError('DestroyFailed', 'status.placement of this tenant does not name its labelPrefix');
  }
  const marks: TenantMarks = { prefix: labelPrefix, owner, tenantId, tenant: ref };
  const containers = await tenantContainers(engine, marks, signal);
  await stopAll(engine, containers.filter(isStoppable), signal);
  await removeAll(engine, containers, signal);
  for (const { Id, Name } of await tenantNetworks(engine, marks, signal)) {
    await refusedAs(`network ${Name}`, () => engine.removeNetwork(Id, signal));
  }
  for (const { Name } of await tenantVolumes(engine, marks, signal)) {
    await refusedAs(`volume ${Name}`, () => engine.removeVolume(Name, signal));
  }
  const left = [
    ...(await tenantContainers(engine, marks, signal)).map(({ name }) => `container ${name}`),
    ...(await tenantNetworks(engine, marks, signal)).map(({ Name }) => `network ${Name}`),
    ...(await tenantVolumes(engine, marks, signal)).map(({ Name }) => `volume ${Name}`),
  ];
  if (left.length === 0) return { outcome: 'gone', message: 'Nothing is left' };
  return { outcome: 'in_progress', message: `Removing ${left.join(', ')}`, lookAgainAfterMs };
}

async function tenantContainers(
  engine: Engine,
  { prefix, owner, tenantId, tenant }: TenantMarks,
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  const infos = await engine.listContainers(labelFilter(prefix, owner, tenantId), signal);
  return infos.map(observeContainer).filter(({ labels }) => isTenants(prefix, owner, tenant)(labels));
}

function isStoppable({ state }: ObservedContainer): boolean {
  return state === 'running' || state === 'restarting' || state === 'paused';
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
