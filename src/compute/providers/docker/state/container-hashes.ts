import type { Ownership } from '../../../ownership.ts';
import type { Desired } from '../../../provider.ts';
import {
  combinedHash,
  compareHashes,
  formerSpecHash,
  isSameHash,
  isSealed,
  sealedHash,
  veiled,
} from '../../../spec/spec-hash.ts';
import type { HashKey } from '../../../spec/spec-hash.ts';
import type { ContainerSpec, EnvVar, TenantComputeSpec } from '../../../spec/tenant-compute-spec.ts';
import type { DockerConfig } from '../config.ts';
import type { Confinement } from './confinement/confinement.ts';
import { hashedFields, triedFields } from './container-fields.ts';
import type { LiveSettings } from './live-settings.ts';
import { hashedMounts } from './volumes/container-mounts.ts';
import type { ContainerMounts } from './volumes/container-mounts.ts';
import type { ContainerOptions } from './options/container-options.ts';
import type { VolumeMount } from './volumes/parse-volumes.ts';

/** Hashes of this form; see specHash. */
export const hashVersion = 'v2';

/** By whose leave a path is mounted makes no other container, nor does how the engine calls the tenant's volume. */
function hashedMount({ grant: _grant, formerSource, ...mount }: VolumeMount): Omit<VolumeMount, 'grant'> {
  return formerSource === undefined ? mount : { ...mount, source: formerSource };
}

/** What is hashed of a container. */
type Form = Readonly<Record<string, unknown>>;

interface Surroundings {
  readonly ownership: Ownership;
  readonly hashKey: HashKey;
  /** Whose container it is. */
  readonly subject: readonly string[];
  readonly network: Network;
  readonly mounts: ContainerMounts;
  readonly bindAddress: string;
  /** The hash of before, for where the values of secrets were not read. */
  readonly remembered: string | undefined;
  /** Undefined: as containers were made before there was one. */
  readonly confinement: Confinement | undefined;
  readonly options: ContainerOptions | undefined;
}

interface Network {
  readonly kind: string;
  readonly name: string;
}

/** The hashes that a container may bear, by the UID of the cluster that made it. */
export type ContainerHashes = ReadonlyMap<string, HashesOfCluster>;

export interface HashesOfCluster {
  /** What it bears that is made of it now. */
  readonly now: string;
  /** What it may bear instead, if an earlier version made it; the last of these versions first. */
  readonly former: readonly string[];
}

export function containerHashes(
  container: ContainerSpec,
  labels: DockerConfig['labels'],
  {
    ownership: { owner },
    hashKey,
    subject,
    remembered,
    network,
    mounts,
    bindAddress,
    confinement,
    options,
  }: Surroundings,
): ContainerHashes {
  const volumes = mounts.volumes.map(hashedMount);
  const now: Form = {
    ...hashedFields(container),
    volumes: volumes.toSorted((a, b) => (a.target < b.target ? -1 : 1)),
    ...hashedMounts(mounts),
    network,
    bindAddress: publishes(container, network) ? bindAddress : unusedBindAddress,
    labels,
    confinement,
    options,
  };
  const before = formOfBefore(container, { volumes, bindAddress });
  const forms = isPartOf(before, now) ? [now] : [now, { ...now, ...before }];
  return new Map(
    [owner.clusterUid, ...owner.adoptClusters].map((uid) => [
      uid,
      hashesOfCluster(
        sealedHash({ version: hashVersion, cluster: uid, key: hashKey, subject }, now, remembered),
        () => forms.map((form) => formerSpecHash(uid, form)),
      ),
    ]),
  );
}

/** The former ones are made when they are asked for: most containers bear what is made now. */
function hashesOfCluster(now: string, makeFormer: () => readonly string[]): HashesOfCluster {
  let made: readonly string[] | undefined;
  return {
    now,
    get former() {
      return (made ??= makeFormer());
    },
  };
}

/**
 * Whether it is the hash of these. Where another key has sealed it, the values of the secrets decide: those that the
 * container has, as `hasSecrets` tells.
 */
export function isHashOf(
  hashes: HashesOfCluster | undefined,
  hash: string,
  hasSecrets: () => boolean,
): boolean {
  if (hashes === undefined) return false;
  const compared = compareHashes(hashes.now, hash);
  if (compared === 'unless-secrets-differ') return hasSecrets();
  return compared === 'same' || hashes.former.includes(hash);
}

/** Whether a status remembers one of these. */
export function isRememberedHash(hashes: ContainerHashes, hash: string, key: HashKey): boolean {
  return [...hashes.values()].some(
    ({ now, former }) =>
      isSameHash(now, hash) || former.some((one) => one === hash || veiled(one, key) === hash),
  );
}

/** Whether a status remembers that the container ran to its end, as one of these. */
export function wasDone(
  { before }: Pick<TenantComputeSpec, 'before'>,
  container: string,
  { known, hashKey }: { readonly known: readonly (() => ContainerHashes)[]; readonly hashKey: HashKey },
): boolean {
  const hash = before?.containers?.find(({ name }) => name === container)?.completed;
  return hash !== undefined && known.some((hashes) => isRememberedHash(hashes(), hash, hashKey));
}

/** As the engine shows it in the environment of a container. */
export function environmentLine({ name }: Pick<EnvVar, 'name'>, value: string): string {
  return `${name}=${value}`;
}

/** Stands in the hash of a container that publishes nothing, and feels no other: the default of always. */
const unusedBindAddress = '127.0.0.1';

function publishes({ ports = [] }: ContainerSpec, network: Network): boolean {
  return ports.length > 0 && network.kind !== 'mode';
}

/**
 * What earlier versions hashed and a container does not feel: the order of volumes, the bind address without a port,
 * no arguments in so many words. A container that bears such a hash is the same one.
 */
function formOfBefore(
  { args }: ContainerSpec,
  { volumes, bindAddress }: { readonly volumes: readonly unknown[]; readonly bindAddress: string },
): Form {
  return { args, volumes, bindAddress };
}

/** Whether it would only be hashed the same once more. */
function isPartOf(form: Form, whole: Form): boolean {
  return Object.entries(form).every(([key, value]) => isSame(value, whole[key]));
}

function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

interface HashedContainer {
  readonly spec: ContainerSpec;
  readonly engineName: string;
  readonly live: LiveSettings;
  readonly hashes: ContainerHashes;
}

/** Of all that a tenant has; `sealed`: of those containers that Secrets take part in. */
export function tenantHashes(
  containers: readonly HashedContainer[],
  { clusterUid, hashKey }: { readonly clusterUid: string; readonly hashKey: HashKey },
): Pick<Desired, 'specHash' | 'former' | 'sealed'> {
  const hashesOf = ({ hashes }: HashedContainer) => hashes.get(clusterUid);
  const parts = containers.map((container) => ({
    hash: hashesOf(container)?.now ?? '',
    more: [container.engineName, container.live, ...triedOf(container)],
  }));
  const sealed = containers.flatMap((container) => {
    const { now = '' } = hashesOf(container) ?? {};
    return isSealed(now) ? [[container.spec.name, now] as const] : [];
  });
  const former = {
    get hashes() {
      const forms = containers.map((one) => [one.engineName, hashesOf(one)?.former[0], one.live]);
      return [formerSpecHash(clusterUid, forms)];
    },
  };
  return {
    specHash: combinedHash({ version: hashVersion, cluster: clusterUid, key: hashKey }, parts),
    former,
    sealed: Object.fromEntries(sealed),
  };
}

/** Nothing where nothing is said: hashes of before still hold. */
function triedOf({ spec }: HashedContainer): readonly unknown[] {
  const tried = triedFields(spec);
  return Object.keys(tried).length === 0 ? [] : [tried];
}
