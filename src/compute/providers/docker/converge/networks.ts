import type Dockerode from 'dockerode';
import { maxContainers } from '../../../../api/bounded.ts';
import { atMost } from '../../../../async/at-most.ts';
import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import type { Consent } from '../../../permit.ts';
import { EngineRefusal, unlessKind } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import type { DesiredTenant, EngineSettings } from '../state/desired-tenant.ts';
import type { DesiredNetwork } from '../state/network/choose-network.ts';
import { poolKey } from '../state/network/pool-key.ts';
import { largerNetworkName } from '../state/container-name.ts';
import { roomOfPool, subnetsOf } from '../state/network/subnets.ts';
import { freeSubnets, prefixFor } from './free-subnets.ts';
import { createKnownNetworks, roomOf } from './networks/known-networks.ts';
import type { KnownNetworks } from './networks/known-networks.ts';
import { joinLarger } from './tenant-networks.ts';

/** For whom a network is made: who they are, the marks that it gets, and that one that nobody uses may go. */
export interface NetworkOwner extends Pick<DesiredTenant, 'tenantId' | 'namespace' | 'name' | 'marks'> {
  readonly consent: Consent;
  /** How many the tenant has when it is at rest. Each may have a successor beside it for a while. */
  readonly containers: number;
  /** How many are about to join. */
  readonly joining: number;
  /** Whether nothing of the tenant was seen on the engine: then it hardly has a network there. */
  readonly isNew?: boolean;
  /** See `networksInUse`. */
  readonly inUse?: ReadonlyMap<string, string>;
}

export interface Networks {
  /**
   * Makes the network where it does not exist. Returns the one that new containers go to, which is the larger one beside
   * it where the tenant has outgrown it. Rejects with ProviderConflict or ProvisionFailed.
   */
  ensure(network: DesiredNetwork, owner: NetworkOwner, signal: AbortSignal): Promise<DesiredNetwork>;
  /** Makes the network, and no other, where it does not exist. Rejects likewise. */
  restore(network: DesiredNetwork, owner: NetworkOwner, signal: AbortSignal): Promise<void>;
}

/** The engine refuses a subnet that something we can't see holds; after so many of them, the pool is unusable. */
const subnetTries = 64;

/** Networks that come with the engine. */
const builtIn: readonly string[] = ['bridge', 'host', 'none'];

/** `onTaken` gets the subnets of all of the engine's networks, whosever they are, where they had to be listed. */
export function createNetworks(
  engine: Engine,
  settings: EngineSettings,
  onTaken: (subnets: readonly string[]) => void = () => undefined,
): Networks {
  const known = createKnownNetworks();
  const deps: NetworkDeps = { engine, settings, known, taken: {}, onTaken };
  const inOrder = atMost(1);
  return {
    async ensure(network, owner, signal) {
      const { kind, name } = network;
      if (kind === 'mode' || builtIn.includes(name)) return network;
      const room = known.roomIn(name, owner.inUse?.get(name));
      if (kind === 'private' && room >= owner.containers * 2) return network;
      // One at a time over all tenants: each takes the first free subnet.
      if (kind === 'private') {
        const ensured = () => ensurePrivate(deps, { name, owner }, signal);
        return { kind, name: await inOrder(ensured, { key: 'private' }) };
      }
      await inOrder(() => ensureShared(deps, { name, owner }, signal), { key: `shared/${name}` });
      return network;
    },
    async restore({ name }, owner, signal) {
      await inOrder(() => restorePrivate(deps, { name, owner }, signal), { key: 'private' });
    },
  };
}

interface NetworkDeps {
  readonly engine: Engine;
  readonly settings: EngineSettings;
  readonly known: KnownNetworks;
  /** Subnets of all networks on the engine, as it last told and as they were made since. */
  readonly taken: { subnets?: readonly string[] };
  readonly onTaken: (subnets: readonly string[]) => void;
}

async function ensureShared(
  deps: NetworkDeps,
  { name, owner }: { readonly name: string; readonly owner: NetworkOwner },
  signal: AbortSignal,
): Promise<void> {
  const { engine, settings } = deps;
  const existing = await networksNamed(engine, [name], signal);
  if (existing.length > 0) return assertShared(name, existing, settings.ownership);
  const Labels = { ...settings.ownership.shared() };
  const Driver = settings.block.network_driver;
  const Options = Driver === 'bridge' ? keptApart : {};
  const body = { Name: name, Driver, CheckDuplicate: true, Labels, Options };
  await unlessKind('name-taken', engine.createNetwork(body, signal));
  assertShared(name, await withoutDuplicates(deps, { name, owner }, signal), settings.ownership);
}

/** Containers of a bridge reach what is outside of it, and not each other: here, they are different tenants'. */
const keptApart = { 'com.docker.network.bridge.enable_icc': 'false' };

/**
 * The operator's network is one of this operator's for all tenants, or one that the admin made, which bears no marks.
 * What was made for one tenant is that one's to rule, whichever operator made it. Throws ProviderConflict.
 */
function assertShared(
  name: string,
  existing: readonly Dockerode.NetworkInspectInfo[],
  ownership: Ownership,
): void {
  for (const { Labels } of existing) {
    const keys = Object.keys(Labels ?? {});
    const isOneTenants = keys.some((key) => key.endsWith('.tenant_id'));
    const isMarked = keys.includes(ownership.key('owner'));
    if (!isOneTenants && (!isMarked || ownership.isOurs(Labels))) continue;
    const whose = isOneTenants ? "is one tenant's own" : "is another operator's";
    throw new ComputeError(
      'ProviderConflict',
      `network ${name} (compute.docker.network_name) exists and ${whose}. Name another one, or remove it`,
      { forLog: ownership.identify(Labels) },
    );
  }
}

interface Private {
  readonly name: string;
  readonly owner: NetworkOwner;
}

/** Returns the name of the network that the tenant's new containers go to. */
async function ensurePrivate(
  deps: NetworkDeps,
  { name, owner }: Private,
  signal: AbortSignal,
): Promise<string> {
  const { engine, settings } = deps;
  const large = largerNetworkName(name);
  if (owner.isNew === true) await createUnlessThere(deps, { name, owner }, signal);
  const told = await networksNamed(engine, [name, large], signal);
  const both =
    owner.isNew === true ? await withoutDuplicates(deps, { name, owner, among: told }, signal) : told;
  assertOwn(owner, both, settings.ownership);
  const existing = both.find(({ Name }) => Name === name);
  if (existing !== undefined) deps.known.note(existing);
  const hasLarge = both.some(({ Name }) => Name === large);
  if (existing === undefined) {
    if (!hasLarge) await createPrivate(deps, { name, owner }, signal);
    return hasLarge ? large : name;
  }
  if (!hasLarge) {
    if (await suffices(deps, { existing, owner }, signal)) return name;
    await createPrivate(deps, { name: large, owner: { ...owner, containers: maxContainers } }, signal);
  }
  await joinLarger(engine, { ownership: settings.ownership, tenant: owner, large }, signal);
  return large;
}

async function restorePrivate(
  deps: NetworkDeps,
  { name, owner }: Private,
  signal: AbortSignal,
): Promise<void> {
  const all = await networksNamed(deps.engine, [name], signal);
  assertOwn(owner, all, deps.settings.ownership);
  if (all.length === 0) await createPrivate(deps, { name, owner }, signal);
}

/** Throws ProviderConflict. */
function assertOwn(
  owner: NetworkOwner,
  existing: readonly Dockerode.NetworkInspectInfo[],
  ownership: Ownership,
): void {
  const foreign = existing.find(({ Labels }) => !ownership.belongsTo(owner, Labels));
  if (foreign === undefined) return;
  const { Name, Labels } = foreign;
  throw new ComputeError(
    'ProviderConflict',
    `network ${Name} ${ownership.describe(owner, Labels)}. Remove it, or give the tenant another tenantId`,
    { forLog: ownership.identify(Labels) },
  );
}

/** Made for fewer containers. With none in it, it is made anew; else it is kept for as long as it suffices. */
async function suffices(
  deps: NetworkDeps,
  { existing, owner }: { readonly existing: Dockerode.NetworkInspectInfo; readonly owner: NetworkOwner },
  signal: AbortSignal,
): Promise<boolean> {
  const { engine, settings } = deps;
  const { Id, Name: name } = existing;
  const room = roomOf(existing);
  if (room >= owner.containers * 2) return true;
  if ((await engine.listContainers(settings.ownership.filter(owner.tenantId), signal)).length === 0) {
    await engine.removeNetwork(Id, owner.consent, signal);
    await createPrivate(deps, { name, owner }, signal);
    return true;
  }
  const used = Object.keys((await engine.inspectNetwork(Id, signal))?.Containers ?? {}).length;
  return used + owner.joining <= room;
}

async function createPrivate(deps: NetworkDeps, one: Private, signal: AbortSignal): Promise<void> {
  await createUnlessThere(deps, one, signal);
  assertOwn(one.owner, await withoutDuplicates(deps, one, signal), deps.settings.ownership);
}

/** It may be there all the same: left by an operator that died, made by another one at this moment, or somebody else's. */
async function createUnlessThere(deps: NetworkDeps, one: Private, signal: AbortSignal): Promise<void> {
  await unlessKind('name-taken', createInPool(deps, one, signal));
}

/**
 * A list of all networks costs an engine more with each that it has: so what it said last is remembered, with what was made
 * since. Where that is wrong, the engine refuses the subnet, or none is left, and it is asked anew.
 */
async function createInPool(deps: NetworkDeps, one: Private, signal: AbortSignal): Promise<void> {
  const { engine, settings, taken, onTaken } = deps;
  const { network_pool: pool } = settings.block;
  const prefix = prefixFor(one.owner.containers * 2);
  const makeBeside = (subnets: readonly string[], tries: number): Promise<string | undefined> =>
    createInOneOf(deps, { ...one, subnets: freeSubnets(pool, subnets, prefix), tries }, signal);
  let made = taken.subnets && (await makeBeside(taken.subnets, 1));
  if (made === undefined) {
    taken.subnets = subnetsOf(await engine.listNetworks({}, signal));
    made = await makeBeside(taken.subnets, subnetTries);
  }
  taken.subnets = [...(taken.subnets ?? []), ...(made === undefined ? [] : [made])];
  onTaken(taken.subnets);
  if (made !== undefined) return;
  throw new ComputeError(
    'ProvisionFailed',
    `network_pool ${pool} has no free /${prefix} left for the network ${one.name}: it has room for ` +
      `${roomOfPool(pool, []).addresses.total / 2 ** (32 - prefix)} of that size. ` +
      `Widen ${poolKey(settings)}, or remove networks that are no longer used`,
  );
}

interface Subnets {
  readonly subnets: Iterable<string>;
  /** As many of them are tried. */
  readonly tries: number;
}

/** Returns the first subnet that the engine takes. */
async function createInOneOf(
  { engine, settings: { block } }: NetworkDeps,
  { name, owner, subnets, tries }: Private & Subnets,
  signal: AbortSignal,
): Promise<string | undefined> {
  const body = { Name: name, Driver: block.network_driver, CheckDuplicate: true, Labels: { ...owner.marks } };
  let left = tries;
  for (const Subnet of subnets) {
    if (left === 0) break;
    left -= 1;
    try {
      await engine.createNetwork({ ...body, IPAM: { Driver: 'default', Config: [{ Subnet }] } }, signal);
      return Subnet;
    } catch (error) {
      if (!(error instanceof EngineRefusal) || error.kind !== 'overlap') throw error;
    }
  }
  return undefined;
}

/** The engine lets two operators make two networks of one name. Both keep the one with the lowest id. Returns what stays. */
async function withoutDuplicates(
  { engine, settings: { ownership } }: NetworkDeps,
  {
    name,
    owner: { consent },
    among,
  }: {
    readonly name: string;
    readonly owner: Pick<NetworkOwner, 'consent'>;
    /** The networks, as they were just told; else they are asked for. */
    readonly among?: readonly Dockerode.NetworkInspectInfo[];
  },
  signal: AbortSignal,
): Promise<readonly Dockerode.NetworkInspectInfo[]> {
  const told = among ?? (await networksNamed(engine, [name], signal));
  const all = told.filter(({ Name }) => Name === name).toSorted((a, b) => (a.Id < b.Id ? -1 : 1));
  const duplicates = all.slice(1).filter(({ Labels }) => ownership.isOurs(Labels));
  for (const { Id } of duplicates) await engine.removeNetwork(Id, consent, signal);
  return told.filter((network) => !duplicates.includes(network));
}

/** The engine's own filter takes names that merely contain it, too. */
async function networksNamed(
  engine: Engine,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly Dockerode.NetworkInspectInfo[]> {
  return (await engine.listNetworks({ name: names }, signal)).filter(({ Name }) => names.includes(Name));
}
