import type { Commit } from '../../controller/memory-apiserver.ts';
import type { Container } from '../models/docker-container.ts';
import { expectationOf } from '../truth.ts';
import type { World } from '../world.ts';
import type { Invariant } from './invariant.ts';

/** What it costs. */

const minuteMs = 60_000;

/** Counts by key over the last virtual minute. */
function perMinute(
  world: World,
  limit: number,
  broken: (key: string, count: number) => void,
): (key: string) => void {
  const times = new Map<string, number[]>();
  return (key) => {
    const nowMs = world.time.now();
    const known = times.get(key) ?? [];
    times.set(key, known);
    known.push(nowMs);
    while ((known[0] ?? nowMs) < nowMs - minuteMs) known.shift();
    if (known.length > limit) broken(key, known.length);
  };
}

/** A rollout of a few containers is two dozen changes, of nine a hundred; some in a minute are a busy user. */
const engineChanges = { perMinute: 200, containers: 9 } as const;
/**
 * Of one container, after each other, by one operator for one spec: one that has just begun does not know what others
 * undo, and a new spec is tried at once.
 */
const createdPerMinute = 8;

/** Of one container for its health, by one operator: at once, after 10 s, after 20 s more. The next is after 40 s. */
const restartedPerMinute = 4;

/** How many times as many containers as those limits are for were wanted of it within the last minute, at the most; at least 1. */
function shareOf(world: World, key: string): number {
  const specs = world.ledger.since(key, world.time.now() - minuteMs).map((tenant) => tenant?.spec ?? {});
  const wanted = specs.map(({ containers = [], replicas = 1 }) => containers.length * replicas);
  return Math.max(1, ...wanted.map((count) => count / engineChanges.containers));
}

const changesLittle: Invariant = {
  name: 'changesLittle',
  promise: 'no tenant is changed on its engine again and again',
  watch(world, broken) {
    const change = perMinute(world, engineChanges.perMinute, (key, count) => {
      const limit = engineChanges.perMinute * shareOf(world, key);
      if (count > limit) broken(`${count} changes of ${key} in a minute`);
    });
    const create = perMinute(world, createdPerMinute, (key, count) =>
      broken(`${count} containers were made in a minute: ${key}`),
    );
    // Where another operator removes what has come to a good end, whoever made it saw no failure, and begins a new row.
    const goodEnds = new Map<string, number>();
    const restart = perMinute(world, restartedPerMinute, (key, count) =>
      broken(`${count} times in a minute, ${key}, which fails its health check, was stopped`),
    );
    return {
      onEngineChange(_engine, { by, call, container }) {
        if (by === 'person' || container === undefined) return;
        change(container.tenant);
        if (call === 'stop' && container.health === 'unhealthy') restart(`${container.id} by ${by}`);
        const { generation = 0 } = world.ledger.tenants.get(container.tenant)?.metadata ?? {};
        if (call === 'remove' && by !== container.madeBy && hasEndedWell(container)) {
          const row = `${container.name} by ${container.madeBy}`;
          goodEnds.set(row, 1 + (goodEnds.get(row) ?? 0));
        }
        if (call !== 'create') return;
        const row = `${container.name} by ${by}`;
        create(`${row}, of generation ${generation}, after ${goodEnds.get(row) ?? 0} good ends`);
      },
    };
  },
};

function hasEndedWell({ state, exitCode }: Container): boolean {
  return state === 'exited' && exitCode === 0;
}

/** By one operator, of one replica: what another operator does, be it a rival, none can help. */
const statusWritesPerMinute = 60;
const passesPerMinute = 150;

const writesLittle: Invariant = {
  name: 'writesLittle',
  promise: 'no Tenant is written again and again',
  watch(world, broken) {
    const write = perMinute(world, statusWritesPerMinute, (key, count) => {
      // The most there were within the minute: what was written of three counts for a minute once there is to be one.
      const specs = world.ledger.since(key.split(' ')[0] ?? '', world.time.now() - minuteMs);
      const replicas = Math.max(1, ...specs.map((tenant) => tenant?.spec.replicas ?? 1));
      if (count > statusWritesPerMinute * replicas) broken(`${count} writes of ${key} in a minute`);
    });
    return {
      onCommit({ user, collection, after, before }) {
        const { namespace = '', name = '' } = (after ?? before)?.metadata ?? {};
        if (user !== 'user' && collection === 'tenants') write(`${namespace}/${name} by ${user}`);
      },
    };
  },
};

const passesLittle: Invariant = {
  name: 'passesLittle',
  promise: 'no Tenant is looked at again and again',
  watch(world, broken) {
    // Each container tells of each change to it.
    const pass = perMinute(world, passesPerMinute, (key, count) => {
      const limit = passesPerMinute * shareOf(world, key.split(' ')[0] ?? '');
      if (count > limit) broken(`${count} passes over ${key} in a minute`);
    });
    return { onPass: (key, by) => pass(`${key} by ${by}`) };
  },
};

/** Rolling inspects are paced at 20 ms each, at the most; a look asks of each container. For so many of them. */
const callsPerMinute = { calls: 1_500, containers: 10 } as const;

const asksLittle: Invariant = {
  name: 'asksLittle',
  promise: 'no engine is called again and again',
  watch(world, broken) {
    // The most there ever were: what was asked in a rollout counts for a minute after its end.
    let held = 0;
    const call = perMinute(world, callsPerMinute.calls, (key, count) => {
      const limit = callsPerMinute.calls * Math.max(1, held / callsPerMinute.containers);
      if (count > limit) broken(`${count} calls by ${key} in a minute`);
    });
    return {
      onEngineCall(_call, by) {
        held = Math.max(held, ...[...world.engines.values()].map(({ containers }) => containers.size));
        call(by);
      },
    };
  },
};

const quietCostsNothing: Invariant = {
  name: 'quietCostsNothing',
  promise: 'where nothing happens, nothing is written',
  watch(world, broken) {
    const written: string[] = [];
    return {
      atEnd: () => void (written.length = 0),
      onCommit({ user, collection, after, before }: Commit) {
        const about = aboutOf(after ?? before);
        if (user !== 'user' && !isRestless(world, about)) written.push(`${collection} of ${about}`);
      },
      onEngineChange(_engine, { by, call, container }) {
        if (by === 'person' || container === undefined) return;
        if (!isRestless(world, container.tenant) && !canNotRun(world, container.tenant))
          written.push(`${call} ${container.name}`);
      },
      afterQuiet() {
        if (written.length > 0) broken(`${written.length} writes, such as ${written.slice(0, 3).join(', ')}`);
      },
    };
  },
};

/** What an Event speaks of, or the object itself: `namespace/name`. */
function aboutOf(object: Commit['after']): string {
  const { namespace = '', name = '' } =
    (object as { regarding?: { namespace?: string; name?: string } } | undefined)?.regarding ??
    object?.metadata ??
    {};
  return `${namespace}/${name}`;
}

/** What can't run is tried now and then all the same. */
function canNotRun(world: World, key: string): boolean {
  const tenant = world.ledger.tenants.get(key);
  const config = world.operators[0]?.config;
  return (
    tenant !== undefined && config !== undefined && expectationOf(world, tenant, config).fault !== undefined
  );
}

/**
 * Whether something goes on there by itself: what crashes is started again by its engine, and consent to restart what is ill
 * is asked for each time that a restart falls due.
 */
function isRestless(world: World, key: string): boolean {
  const { unhealthyPolicy, approval } = world.ledger.tenants.get(key)?.spec ?? {};
  if (unhealthyPolicy === 'Restart' && approval === 'Always' && canNotRun(world, key)) return true;
  return [...world.engines.values()].some(
    (engine) => world.time.now() - (engine.disturbedMs.get(key) ?? 0) < 2 * minuteMs,
  );
}

export const effort: readonly Invariant[] = [
  changesLittle,
  writesLittle,
  passesLittle,
  asksLittle,
  quietCostsNothing,
];
