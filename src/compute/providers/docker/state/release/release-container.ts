import { defaultReleaseSeconds } from '../../../../../api/container/release-fields.ts';
import type { ReleaseSpec } from '../../../../../api/container/release-fields.ts';
import { ComputeError } from '../../../../errors.ts';
import type { Marks, Ownership } from '../../../../ownership.ts';
import { combinedHash, specHash } from '../../../../spec/spec-hash.ts';
import type { HashKey } from '../../../../spec/spec-hash.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import { hashVersion, wasDone } from '../container-hashes.ts';
import type { ContainerHashes } from '../container-hashes.ts';
import { partName, replicaOf, tenantName } from '../container-name.ts';
import type { LiveSettings } from '../live-settings.ts';
import { marksOf } from '../process/process-marks.ts';
import { releaseMark, releaseName, releaseText, requestText } from './release-mark.ts';
import type { Release } from './release-mark.ts';

/**
 * A release is a container like the one that it is of, with another command and without what others find that by: ports, a name in the
 * network, labels of the tenant's. It is a job that all others wait for, but for those that its container waits for
 * itself: a migration needs its database. Pure.
 */

/** The containers, each with what it waits for. Throws InvalidSpec where the release is of none of them. */
export function afterRelease(
  containers: readonly ContainerSpec[],
  release: ReleaseSpec | undefined,
): readonly ContainerSpec[] {
  if (release === undefined || containers.length === 0) return containers;
  const first = before(containers, [release.container]);
  if (!containers.some(({ name }) => name === release.container)) {
    const names = containers.map(({ name }) => name).join(', ');
    throw new ComputeError(
      'InvalidSpec',
      `spec.release.container: there is no container ${release.container}: name one of ${names}`,
    );
  }
  const waiting = { container: releaseName(release.container), condition: 'Completed' } as const;
  return containers.map((container) =>
    first.has(container.name)
      ? container
      : { ...container, dependsOn: [...(container.dependsOn ?? []), waiting] },
  );
}

/** Names of all that these wait for, be it by way of others. */
function before(containers: readonly ContainerSpec[], names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const { dependsOn = [] } = containers.find((one) => one.name === name) ?? {};
    const added = dependsOn.map(({ container }) => container).filter((one) => !found.has(one));
    for (const one of added) found.add(one);
    open.push(...added);
  }
  return found;
}

/** What of a desired container is otherwise where it is a release. */
interface Like {
  readonly spec: ContainerSpec;
  readonly engineName: string;
  readonly live: LiveSettings;
  readonly alias: string | undefined;
  readonly labels: Marks;
  readonly hashes: ContainerHashes;
  readonly earlierHashes: ContainerHashes;
  readonly restartsUnhealthy: boolean;
  readonly isDone: boolean;
  readonly release?: Release;
}

interface Making {
  readonly spec: Pick<TenantComputeSpec, 'before' | 'release' | 'requestedAt' | 'tenantId'>;
  readonly ownership: Ownership;
  readonly hashKey: HashKey;
  /** The owner's. */
  readonly marks: Marks;
}

/** None where none is asked for. */
export function releaseContainers<Container extends Like>(
  containers: readonly Container[],
  { spec, ownership, hashKey, marks }: Making,
): readonly Container[] {
  const { release } = spec;
  const like = containers.find((container) => container.spec.name === release?.container);
  if (release === undefined || like === undefined) return [];
  const { key, owner, prefix } = ownership;
  const wanted = releaseSpec(like.spec, release);
  const live = { ...like.live, restartPolicy: 'no' } as const;
  // Another count of replicas is no other state of any of them.
  const states = containers.filter((container) => replicaOf(container.spec.name) === 1);
  const hashes = releaseHashes(states, release, hashKey);
  const timeoutSeconds = release.timeoutSeconds ?? defaultReleaseSeconds;
  const mark = { of: like.spec.name, timeoutSeconds, request: requestText(spec.requestedAt) };
  const made = {
    ...like,
    spec: wanted,
    engineName: partName(tenantName(prefix, spec.tenantId), wanted.name),
    live,
    alias: undefined,
    labels: {
      ...marks,
      ...marksOf(wanted, key, { hash: hashes.get(owner.clusterUid)?.now ?? '', live }),
      [key(releaseMark)]: releaseText(mark),
    },
    hashes,
    earlierHashes: hashes,
    restartsUnhealthy: false,
    isDone: wasDone(spec, wanted.name, { known: [() => hashes], hashKey }),
    release: mark,
  };
  return [made];
}

/** What its container waits for comes before it, too, as it is there: without itself. */
function releaseSpec(
  { ports: _ports, essential: _essential, args: argsOfContainer, ...like }: ContainerSpec,
  { command, args }: ReleaseSpec,
): ContainerSpec {
  const name = releaseName(like.name);
  const dependsOn = (like.dependsOn ?? []).filter(({ container }) => container !== name);
  // Arguments of another entrypoint are none of this one's.
  const kept = command === undefined ? argsOfContainer : undefined;
  const given = args ?? kept;
  return {
    ...like,
    name,
    ...(command === undefined ? {} : { command }),
    ...(given === undefined ? {} : { args: given }),
    dependsOn,
    healthCheck: { disable: true },
    restartPolicy: 'Never',
  };
}

/** Covers what all containers are made of, so that it is run once for each of their states. */
function releaseHashes(
  containers: readonly Pick<Like, 'spec' | 'hashes'>[],
  { container, command, args, timeoutSeconds }: ReleaseSpec,
  key: HashKey,
): ContainerHashes {
  const clusters = [...(containers[0]?.hashes.keys() ?? [])];
  return new Map(
    clusters.map((cluster) => {
      const own = specHash(hashVersion, cluster, { container, command, args, timeoutSeconds });
      const parts = containers.map(({ spec, hashes }) => ({
        hash: hashes.get(cluster)?.now ?? '',
        more: spec.name,
      }));
      const whole = [{ hash: own, more: 'release' }, ...parts];
      return [cluster, { now: combinedHash({ version: hashVersion, cluster, key }, whole), former: [] }];
    }),
  );
}
