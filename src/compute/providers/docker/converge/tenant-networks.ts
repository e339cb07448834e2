import type Dockerode from 'dockerode';
import type { MarkedTenant, Ownership } from '../../../ownership.ts';
import type { Consent } from '../../../permit.ts';
import { unlessKind } from '../engine/engine.ts';
import type { Engine, EngineReads } from '../engine/engine.ts';
import { largerNetworkName } from '../state/container-name.ts';
import { aliasOf, returnsByName, tenantNetworkOf } from '../state/network/tenant-network.ts';
import type { DesiredTenant } from '../state/desired-tenant.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { ownContainers } from '../state/own-containers.ts';
import { endpointConfig } from './create-body.ts';

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

/** The tenant's own containers, and no one else's, running or not. */
export async function tenantContainers(
  engine: EngineReads,
  { ownership, tenant }: OwnedTenant,
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  const infos = await engine.listContainers(ownership.filter(tenant.tenantId), signal);
  return ownContainers(infos, ownership).filter(({ labels }) => ownership.belongsTo(tenant, labels));
}

/**
 * What is in the network that the tenant has outgrown comes into the larger one too, by its name and as it runs: there,
 * it and those that are made from now on find each other.
 */
export async function joinLarger(
  engine: Engine,
  { large, ...owned }: OwnedTenant & { readonly large: string },
  signal: AbortSignal,
): Promise<void> {
  for (const container of await tenantContainers(engine, owned, signal)) {
    const network = tenantNetworkOf(container);
    if (network === undefined || largerNetworkName(network) !== large) continue;
    if (container.networks.includes(large)) continue;
    const alias = returnsByName(container) ? aliasOf(container) : undefined;
    const place = endpointConfig(alias === undefined ? [] : [alias]);
    await unlessKind('gone', engine.connectContainer(container.id, large, place, signal));
  }
}

interface Unwanted extends OwnedTenant {
  readonly desired: Pick<DesiredTenant, 'containers' | 'replicas'>;
  readonly consent: Consent;
}

/**
 * Those that the tenant no longer needs: it has none of its own any more, fewer replicas, or has outgrown one. Nobody asks
 * where nothing tells of such. One that others use is destroy's to complain of. `seen`: also what has gone since.
 */
export async function removeUnwantedNetworks(
  engine: Engine,
  { seen, ...unwanted }: Unwanted & { readonly seen: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<void> {
  const { desired, consent, ...owned } = unwanted;
  const names = ownNetworksOf(desired);
  if (names.length === 0 || desired.replicas !== undefined || unwantedOf(desired, seen).size > 0) {
    const wanted = namesOfBoth(names);
    const networks = await tenantNetworks(engine, owned, signal);
    const unneeded = networks.filter(({ Name }) => !wanted.has(Name));
    await removeUnused(engine, { networks: unneeded, consent }, signal);
  }
  const outgrown = names.filter((name) =>
    seen.some(({ networkMode }) => networkMode === largerNetworkName(name)),
  );
  for (const name of outgrown) await removeOutgrown(engine, { ...owned, name, consent }, signal);
}

/**
 * Those that the tenant no longer needs once these containers are gone, which stand still: before they are removed, for
 * afterwards nothing would tell of them.
 */
export async function removeNetworksOf(
  engine: Engine,
  { going, ...unwanted }: Unwanted & { readonly going: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<void> {
  const { desired, consent, ...owned } = unwanted;
  const left = unwantedOf(desired, going);
  if (left.size === 0) return;
  const ids = new Set(going.map(({ id }) => id));
  for (const container of await tenantContainers(engine, owned, signal))
    if (!ids.has(container.id)) left.delete(tenantNetworkOf(container) ?? '');
  const networks = await tenantNetworks(engine, owned, signal);
  const unneeded = networks.filter(({ Name }) => left.has(Name));
  await removeUnused(engine, { networks: unneeded, consent }, signal);
}

function ownNetworksOf({ containers }: Pick<DesiredTenant, 'containers'>): readonly string[] {
  const own = containers.filter(({ network }) => network.kind === 'private');
  return [...new Set(own.map(({ network }) => network.name))];
}

function namesOfBoth(names: readonly string[]): Set<string> {
  return new Set(names.flatMap((name) => [name, largerNetworkName(name)]));
}

/** For which some of the containers were made, and none that is desired will be. */
function unwantedOf(desired: Unwanted['desired'], containers: readonly ObservedContainer[]): Set<string> {
  const wanted = namesOfBoth(ownNetworksOf(desired));
  return new Set(containers.flatMap((one) => tenantNetworkOf(one) ?? []).filter((name) => !wanted.has(name)));
}

/** The network that the tenant has outgrown, once no container was made for it: one that stands still needs it to start. */
async function removeOutgrown(
  engine: Engine,
  { name, consent, ...owned }: OwnedTenant & { readonly name: string; readonly consent: Consent },
  signal: AbortSignal,
): Promise<void> {
  const containers = await tenantContainers(engine, owned, signal);
  const made = containers.map(({ networkMode }) => networkMode);
  if (made.includes(name) || !made.includes(largerNetworkName(name))) return;
  const outgrown = (await tenantNetworks(engine, owned, signal)).filter(({ Name }) => Name === name);
  await removeUnused(engine, { networks: outgrown, consent }, signal);
}

/** One that others use stays. */
async function removeUnused(
  engine: Engine,
  {
    networks,
    consent,
  }: { readonly networks: readonly Dockerode.NetworkInspectInfo[]; readonly consent: Consent },
  signal: AbortSignal,
): Promise<void> {
  for (const { Id } of networks) await unlessKind('in-use', engine.removeNetwork(Id, consent, signal));
}
