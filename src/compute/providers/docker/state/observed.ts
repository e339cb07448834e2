import type { ComputeHealth, ComputeState, Endpoint } from '../../../../api/status.ts';
import type { Observation } from '../../../provider.ts';
import { isCompleted } from './container-end.ts';
import { completed, containerHealth } from './container-health.ts';
import type { Clock, ContainerHealth } from './container-health.ts';
import { replicaOf, servingName, specName } from './container-name.ts';
import { changesOf, compareTenant } from './diff.ts';
import type { TenantComparison } from './plan/comparison.ts';
import type { DesiredTenant } from './desired-tenant.ts';
import { isAnonymous, volumeText } from './volumes/image-volumes.ts';
import { isFilesVolume } from './volumes/files-volume.ts';
import { possibleSources } from './volumes/parse-volumes.ts';
import { isUp, youngMs } from './observed-container.ts';
import type { PublishedPort } from './network/listed-ports.ts';
import type { ObservedContainer } from './observed-container.ts';

/** What the engine's answers mean for the tenant's status. Pure. */

/** One container of the status: who stands for it, and what the spec calls its ports. */
interface Shown {
  readonly name: string;
  readonly observed: ObservedContainer | undefined;
  readonly portNames: ReadonlyMap<string, string>;
  /** Whether the whole depends on it; where no spec is at hand, nobody knows better. */
  readonly essential: boolean;
  /** Hash of the spec with which it is remembered to have run to its end. */
  readonly done?: string | undefined;
}

/** Worst first: the state of the whole is the first that one of its containers is in. */
const statesByBadness: readonly ComputeState[] = [
  'failed',
  'unknown',
  'stopping',
  'stopped',
  'starting',
  'running',
];
const healthsByBadness: readonly ComputeHealth[] = ['unhealthy', 'unknown', 'healthy'];

export function observe(
  desired: DesiredTenant | undefined,
  containers: readonly ObservedContainer[],
  clock: Clock,
): Observation {
  const shown =
    desired === undefined ? shownAsLabelled(containers, clock) : shownAsDesired(desired, containers);
  const assessed = shown.map((one) => assess(one, clock));
  const essential = assessed.filter((one) => one.essential);
  const messages = essential.flatMap(({ name, message, health }) =>
    message === undefined || health === 'healthy' ? [] : [`container ${name} ${message}`],
  );
  // What is done is no longer to run, and the rest says how the whole does.
  const toRun = essential.filter(({ done }) => done === undefined);
  const judged = toRun.length > 0 ? toRun : essential;
  const lookAgain = assessed.flatMap(({ lookAgainAfterMs, observed }) => [
    ...(lookAgainAfterMs === undefined ? [] : [lookAgainAfterMs]),
    ...(observed?.pauseCountsInMs === undefined ? [] : [observed.pauseCountsInMs]),
    ...((observed?.restartDueInMs ?? 0) > 0 ? [observed?.restartDueInMs ?? 0] : []),
  ]);
  const running = essential.filter(({ observed }) => observed?.state === 'running').length;
  const comparison = desired === undefined ? undefined : compareTenant(desired, containers);
  return {
    // What is done and was pruned is not missing, nor is anything where there is to be nothing.
    exists:
      containers.length > 0 || (desired !== undefined && assessed.every(({ done }) => done !== undefined)),
    changes: comparison === undefined ? [] : changesOf(comparison),
    ...replicasOf(essential, running),
    ...(comparison !== undefined && isHalfway(comparison) ? { halfway: true } : {}),
    ...dataOf(desired, containers),
    compute: {
      state: worst(
        statesByBadness,
        judged.map(({ state }) => state),
        'stopped',
      ),
      health: worst(
        healthsByBadness,
        judged.map(({ health }) => health),
        'unknown',
      ),
      running,
      desired: toRun.length,
      ...(assessed.length === 0 ? {} : { containers: assessed.map((one) => containerStatus(one, clock)) }),
      ...endpointsOf(shown),
      ...resourceIdsOf(shown),
    },
    ...(messages.length === 0 ? {} : { message: messages.join('; ') }),
    ...(lookAgain.length === 0 ? {} : { lookAgainAfterMs: Math.min(...lookAgain) }),
  };
}

function isHalfway({ containers }: TenantComparison): boolean {
  return containers.some(
    ({ current, currentMatches, next }) => current !== undefined && !currentMatches && next !== undefined,
  );
}

/** How many run in whole, where that is another number than that of the containers. */
function replicasOf(essential: readonly Assessed[], running: number): Pick<Observation, 'replicas'> {
  const all = new Set(essential.map(({ name }) => replicaOf(name)));
  const short = essential.filter(({ observed, done }) => observed?.state !== 'running' && done === undefined);
  const replicas = all.size - new Set(short.map(({ name }) => replicaOf(name))).size;
  return replicas === running ? {} : { replicas };
}

/** The nameless ones go by the container that has them, and files are no data. */
export function dataOf(
  desired: DesiredTenant | undefined,
  containers: readonly ObservedContainer[],
): Pick<Observation, 'data'> {
  const mounted = containers.flatMap(({ volumes }) =>
    volumes.flatMap(({ name }) => (isAnonymous(name) || isFilesVolume(name) ? [] : [volumeText(name)])),
  );
  const needed = (desired?.had ?? []).filter((had) => isAskedFor(had, desired?.containers ?? []));
  const data = [...new Set([...mounted, ...needed])].toSorted();
  return data.length === 0 ? {} : { data };
}

/** What an image asks for is known to the engine alone: what it had of that is needed as long as the container is. */
function isAskedFor(had: string, containers: DesiredTenant['containers']): boolean {
  return containers.some(
    ({ volumes, imageVolumePrefix }) =>
      had.startsWith(volumeText(imageVolumePrefix)) ||
      volumes.some((volume) => volume.named && possibleSources(volume).map(volumeText).includes(had)),
  );
}

type Assessed = ContainerHealth & Omit<Shown, 'portNames'>;

function assess({ name, observed, essential, done }: Shown, clock: Clock): Assessed {
  if (observed === undefined)
    return { name, observed, essential, done, ...(done === undefined ? absent : completed) };
  // Of one on its way out, how it ended can't be told any more: what is remembered of it counts.
  const ran =
    observed.state === 'removing' ? done : isCompleted(observed) ? observed.made.specHash : undefined;
  return { name, observed, essential, done: ran, ...containerHealth(observed, clock) };
}

const absent: ContainerHealth = { state: 'stopped', health: 'unknown' };

function worst<T>(byBadness: readonly T[], values: readonly T[], none: T): T {
  return byBadness.find((value) => values.includes(value)) ?? none;
}

/** The serving container; in a change of names (one container, several) the old one; else the successor. */
function shownAsDesired(desired: DesiredTenant, containers: readonly ObservedContainer[]): readonly Shown[] {
  const comparison = compareTenant(desired, containers);
  return desired.containers.map((wanted) => {
    const { spec, isDone, hashes } = wanted;
    const { current, next } = comparison.containers.find((one) => one.desired === wanted) ?? {};
    return {
      name: spec.name,
      observed: current ?? comparison.obsolete.find(({ made }) => made.container === spec.name) ?? next,
      // While it runs, or has failed, what serves is none the worse for it.
      essential: (spec.essential ?? true) && wanted.release === undefined,
      done: isDone ? [...hashes.values()][0]?.now : undefined,
      portNames: new Map(
        (spec.ports ?? []).flatMap(({ name, containerPort, protocol }) =>
          name === undefined ? [] : [[`${containerPort}/${protocol.toLowerCase()}`, name]],
        ),
      ),
    };
  });
}

/** Of a container and its successor the one that does better; the one that bears the name, where neither does. */
function shownAsLabelled(containers: readonly ObservedContainer[], clock: Clock): readonly Shown[] {
  const rank = (container: ObservedContainer): number => {
    if (!isUp(container)) return 0;
    return containerHealth(container, clock).health === 'unhealthy' ? 1 : 2;
  };
  const shown = new Map<string, ObservedContainer>();
  for (const container of containers) {
    const known = shown.get(servingName(container.name));
    const isNamed = container.name === servingName(container.name);
    const ahead = known === undefined ? 1 : rank(container) - rank(known);
    const isBetter = ahead === 0 ? isNamed : ahead > 0;
    if (isBetter) shown.set(servingName(container.name), container);
  }
  return [...shown.values()]
    .map((observed) => ({
      name: observed.made.container ?? observed.name,
      observed,
      essential: true,
      portNames: new Map<string, string>(),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function containerStatus(
  { name, observed, done, state, health, message }: Assessed,
  { nowMs }: Clock,
): NonNullable<Observation['compute']['containers']>[number] {
  const inspected = observed?.inspected;
  // Shown only while it is news: what is remembered and what is found after a restart of the operator must agree.
  const restartCount = inspected?.restartCount ?? 0;
  const recent =
    inspected !== undefined && (observed?.state !== 'running' || nowMs - inspected.startedMs < youngMs);
  return {
    name,
    state,
    ready: state === 'running' && health === 'healthy',
    ...(restartCount > 0 && recent ? { restartCount } : {}),
    ...(observed === undefined ? {} : { image: observed.image }),
    ...((observed?.imageId ?? '') === '' ? {} : { imageId: observed?.imageId }),
    ...(message === undefined ? {} : { message }),
    ...(done === undefined ? {} : { completed: done }),
  };
}

function endpointsOf(shown: readonly Shown[]): { readonly endpoints?: Endpoint[] } {
  const endpoints = shown.flatMap(({ name, observed, portNames }) =>
    (observed?.ports ?? []).map((port) => endpoint(port, name, portNames)),
  );
  return endpoints.length === 0 ? {} : { endpoints };
}

function endpoint(
  { address, hostPort, containerPort, protocol }: PublishedPort,
  container: string,
  portNames: ReadonlyMap<string, string>,
): Endpoint {
  const name = portNames.get(`${containerPort}/${protocol}`) ?? `${specName(container)}-${containerPort}`;
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    name,
    type: protocol,
    address,
    port: hostPort,
    ...(protocol === 'tcp' ? { url: `http://${host}:${hostPort}` } : {}),
  };
}

function resourceIdsOf(shown: readonly Shown[]): { readonly resourceIds?: Record<string, string> } {
  const ids = Object.fromEntries(
    shown.flatMap(({ name, observed }) =>
      observed === undefined ? [] : [[`container/${name}`, observed.id]],
    ),
  );
  const network = shown.find(({ observed }) => observed?.networkId !== undefined)?.observed?.networkId;
  if (network !== undefined) ids['network'] = network;
  return Object.keys(ids).length === 0 ? {} : { resourceIds: ids };
}
