import type { Ownership } from '../../../ownership.ts';
import { specHash } from '../../../spec/spec-hash.ts';
import type { ContainerSpec } from '../../../spec/tenant-compute-spec.ts';
import type { DockerConfig } from '../config.ts';
import type { Confinement } from './confinement/confinement.ts';
import { hashedFields } from './container-fields.ts';
import type { VolumeMount } from './parse-volumes.ts';

/** Hashes of this form; see specHash. */
export const hashVersion = 'v1';

/** What is hashed of a container. */
type Form = Readonly<Record<string, unknown>>;

interface Surroundings {
  readonly ownership: Ownership;
  readonly network: Network;
  readonly volumes: readonly VolumeMount[];
  readonly bindAddress: string;
  /** Undefined: as containers were made before there was one. */
  readonly confinement: Confinement | undefined;
}

interface Network {
  readonly kind: string;
  readonly name: string;
}

/** What a container bears that is made of it now, and what it may bear besides, if an earlier version made it. */
export function containerHashes(
  container: ContainerSpec,
  labels: DockerConfig['labels'],
  { ownership: { owner }, network, volumes: mounts, bindAddress, confinement }: Surroundings,
): ReadonlyMap<string, readonly string[]> {
  // By whose leave a path is mounted makes no other container.
  const volumes = mounts.map(({ grant: _grant, ...mount }) => mount);
  const now: Form = {
    ...hashedFields(container),
    volumes: volumes.toSorted((a, b) => (a.target < b.target ? -1 : 1)),
    network,
    bindAddress: publishes(container, network) ? bindAddress : unusedBindAddress,
    labels,
    confinement,
  };
  const before = formOfBefore(container, { volumes, bindAddress });
  const forms = isPartOf(before, now) ? [now] : [now, { ...now, ...before }];
  return new Map(
    [owner.clusterUid, ...owner.adoptClusters].map((uid) => [
      uid,
      forms.map((form) => specHash(hashVersion, uid, form)),
    ]),
  );
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
  { volumes, bindAddress }: Pick<Surroundings, 'volumes' | 'bindAddress'>,
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
