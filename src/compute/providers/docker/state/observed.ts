import type { ComputeHealth, ComputeState, Endpoint } from '../../../../api/status.ts';
import type { Observation } from '../../../provider.ts';
import { containerHealth } from './container-health.ts';
import type { Clock, ContainerHealth } from './container-health.ts';
import { servingName } from './container-name.ts';
import { changesOf, compareTenant } from './diff.ts';
import type { DesiredTenant } from './desired-tenant.ts';
import { youngMs } from './observed-container.ts';
import type { ObservedContainer, PublishedPort } from './observed-container.ts';

/** What the engine's answers mean for the tenant's status. Pure. */

/** One container of the status: who stands for it, and what the spec calls its ports. */
interface Shown {
  readonly name: string;
  readonly observed: ObservedContainer | undefined;
  readonly portNames: ReadonlyMap<string, string>;
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
  const shown = desired === undefined ? shownAsLabelled(containers) : shownAsDesired(desired, containers);
  const assessed = shown.map(({ name, observed }) => ({
    name,
    observed,
    ...(observed === undefined ? absent : containerHealth(observed, clock)),
  }));
  const messages = assessed.flatMap(({ name, message }) =>
    message === undefined ? [] : [`container ${name} ${message}`],
  );
  const lookAgain = assessed.flatMap(({ lookAgainAfterMs, observed }) => [
    ...(lookAgainAfterMs === undefined ? [] : [lookAgainAfterMs]),
    ...(observed?.pauseCountsInMs === undefined ? [] : [observed.pauseCountsInMs]),
  ]);
  return {
    exists: containers.length > 0,
    changes: desired === undefined ? [] : changesOf(compareTenant(desired, containers)),
    compute: {
      state: worst(
        statesByBadness,
        assessed.map(({ state }) => state),
        'stopped',
      ),
      health: worst(
        healthsByBadness,
        assessed.map(({ health }) => health),
        'unknown',
      ),
      running: assessed.filter(({ observed }) => observed?.state === 'running').length,
      desired: shown.length,
      ...(assessed.length === 0 ? {} : { containers: assessed.map((one) => containerStatus(one, clock)) }),
      ...endpointsOf(shown),
      ...resourceIdsOf(shown),
    },
    ...(messages.length === 0 ? {} : { message: messages.join('; ') }),
    ...(lookAgain.length === 0 ? {} : { lookAgainAfterMs: Math.min(...lookAgain) }),
  };
}

const absent: ContainerHealth = { state: 'stopped', health: 'unknown' };

function worst<T>(byBadness: readonly T[], values: readonly T[], none: T): T {
  return byBadness.find((value) => values.includes(value)) ?? none;
}

/** The serving container; in a change of names (one container, several) the old one; else the successor. */
function shownAsDesired(desired: DesiredTenant, containers: readonly ObservedContainer[]): readonly Shown[] {
  const comparison = compareTenant(desired, containers);
  return comparison.containers.map(({ desired: { spec }, current, next }) => ({
    name: spec.name,
    observed: current ?? comparison.obsolete.find(({ made }) => made.container === spec.name) ?? next,
    portNames: new Map(
      (spec.ports ?? []).flatMap(({ name, containerPort, protocol }) =>
        name === undefined ? [] : [[`${containerPort}/${protocol.toLowerCase()}`, name]],
      ),
    ),
  }));
}

function shownAsLabelled(containers: readonly ObservedContainer[]): readonly Shown[] {
  const serving = new Set(containers.map(({ name }) => name));
  return containers
    .filter(({ name }) => name === servingName(name) || !serving.has(servingName(name)))
    .map((observed) => ({
      name: observed.made.container ?? observed.name,
      observed,
      portNames: new Map<string, string>(),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function containerStatus(
  { name, observed, state, health, message }: ContainerHealth & Pick<Shown, 'name' | 'observed'>,
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
    ...(message === undefined ? {} : { message }),
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
  const name = portNames.get(`${containerPort}/${protocol}`) ?? `${container}-${containerPort}`;
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
