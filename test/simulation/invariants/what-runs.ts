import { findCondition } from '../../../src/api/conditions.ts';
import type { KubeObject } from '../../../src/kube/client/kube-object.ts';
import { isUp } from '../models/docker-container.ts';
import type { Container } from '../models/docker-container.ts';
import type { DockerEngine, EngineChange } from '../models/docker-engine.ts';
import { imageFacts } from '../models/images.ts';
import { reached, tenantMark, usersOf } from '../models/docker-engine.ts';
import type { StoredTenant } from '../ledger.ts';
import {
  comesFrom,
  containersOf,
  edgeRole,
  expectationOf,
  isAtPlaceOf,
  isCutOff,
  isJoined,
  isInTheWay,
  isLookedAfter,
  isSettled,
  keyOfTenant,
  lagMs,
  lookedAfter,
  ownerOf,
  providerOf,
} from '../truth.ts';
import type { Expectation, Wanted } from '../truth.ts';
import type { World } from '../world.ts';
import type { Invariant } from './invariant.ts';
import { watchLeftBehind } from './left-behind.ts';
import type { LeftBehind } from './left-behind.ts';

/** What happens on the engines. */

/** What an operator may do to what nobody asked it to look after: nothing. */
const leavesOthersAlone: Invariant = {
  name: 'leavesOthersAlone',
  promise: 'what a person made is never touched, whatever labels it bears',
  watch: (_world, broken) => ({
    onEngineChange(_engine, { by, call, container }) {
      if (by !== 'person' && container?.madeBy === 'person')
        broken(`${by} calls ${call} on ${container.name}, which a person runs`);
    },
  }),
};

/** The revisions of a Tenant that an operator may know of now. */
export function knownRevisions(world: World, key: string): readonly (StoredTenant | undefined)[] {
  return world.ledger.since(key, world.time.now() - lagMs);
}

function isGoing(revisions: readonly (StoredTenant | undefined)[]): boolean {
  return revisions.some((one) => one === undefined || one.metadata.deletionTimestamp !== undefined);
}

/** What each of the revisions asks for, by each of the configs that are or were in force. */
export function expectations(
  world: World,
  revisions: readonly (StoredTenant | undefined)[],
): readonly Expectation[] {
  return revisions.flatMap((tenant) =>
    tenant === undefined ? [] : world.operators.map(({ config }) => expectationOf(world, tenant, config)),
  );
}

export function wantedBy(container: Container, { containers }: Expectation): Wanted | undefined {
  return containers.find((wanted) => comesFrom(container, wanted));
}

const keepsWhatRuns: Invariant = {
  name: 'keepsWhatRuns',
  promise: 'what runs well and is what the Tenant has asked for all along is neither stopped nor removed',
  watch: (world, broken) => ({
    onEngineChange(engine, change) {
      const { by, call, container } = change;
      if (by === 'person' || container === undefined || (call !== 'stop' && call !== 'remove')) return;
      if (container.madeBy === 'person' || !isSettled(container, { atMs: world.time.now() })) return;
      if (isCutOff(engine, container)) return;
      const key = container.tenant;
      const revisions = knownRevisions(world, key);
      if (isGoing(revisions) || movedLately(world, revisions) || isElsewhere(world, engine)) return;
      const all = expectations(world, revisions);
      if (all.length === 0 || all.some(({ fault }) => fault !== undefined)) return;
      if (!all.every((expectation) => wantedBy(container, expectation) !== undefined)) return;
      // Whoever is in its network namespace goes with it.
      const { holder } = isJoined(engine, container) ?? {};
      if (holder !== undefined && all.some((one) => wantedBy(holder, one) === undefined)) return;
      if (all.some(hasNewSecret) || hasTwin(engine, container, all)) return;
      if (isBoundElsewhere(world, container) || isInWayOfMove(world, engine, { container, all })) return;
      // A successor that has not been called Ready goes with the others of its attempt.
      if (world.ledger.lastReadyMs(key) < container.createdMs) return;
      broken(`${by} calls ${call} on ${container.name} of ${key}, which runs well and is what is wanted`);
    },
  }),
};

function movedLately(world: World, revisions: readonly (StoredTenant | undefined)[]): boolean {
  return (
    new Set(revisions.map((one) => (one === undefined ? '' : providerOf(one)))).size > 1 ||
    revisions.some((one) => one !== undefined && providerOf(one) !== 'docker') ||
    new Set(world.operators.map(({ config }) => JSON.stringify(config))).size > 1
  );
}

/** Whether the operators' config no longer leads to that engine. */
function isElsewhere(world: World, engine: DockerEngine): boolean {
  return world.operators.some(({ config }) => config.engine !== engine.name);
}

/** Whether it is at a place that is left, and what is to run at the new one can't run beside it. */
function isInWayOfMove(
  world: World,
  engine: DockerEngine,
  { container, all }: { readonly container: Container; readonly all: readonly Expectation[] },
): boolean {
  return (
    world.operators.every(({ config }) => !isAtPlaceOf(config, engine, container)) &&
    all.some(({ containers }) => containers.some((wanted) => excludes(wanted, container)))
  );
}

/** Whether it publishes ports at an address that the operators' config no longer says. */
function isBoundElsewhere(world: World, { hostConfig }: Container): boolean {
  const bindings = Object.values((hostConfig.PortBindings ?? {}) as Record<string, { HostIp?: string }[]>);
  return world.operators.some(({ config }) => {
    const address = config.docker?.['port_bind_address'] ?? '127.0.0.1';
    return bindings.flat().some(({ HostIp }) => HostIp !== address);
  });
}

function hasNewSecret({ containers }: Expectation): boolean {
  return containers.some(({ env }) => [...env.values()].some((values) => values.length > 1));
}

function hasTwin(engine: DockerEngine, container: Container, all: readonly Expectation[]): boolean {
  return containersOf(engine, container.tenant).some(
    (other) =>
      other !== container &&
      isUp(other) &&
      all.some(
        (expectation) =>
          wantedBy(other, expectation) !== undefined &&
          wantedBy(other, expectation)?.name === wantedBy(container, expectation)?.name,
      ),
  );
}

const successorFirst: Invariant = {
  name: 'successorFirst',
  promise: 'what runs is stopped only once its successor runs well, unless the two exclude each other',
  watch: (world, broken) => ({
    onEngineChange(engine, { by, call, container }) {
      if (by === 'person' || container === undefined || (call !== 'stop' && call !== 'remove')) return;
      const nowMs = world.time.now();
      if (container.madeBy === 'person' || !isSettled(container, { atMs: nowMs })) return;
      if (isCutOff(engine, container)) return;
      const key = container.tenant;
      const revisions = knownRevisions(world, key);
      if (isGoing(revisions) || movedLately(world, revisions) || isElsewhere(world, engine)) return;
      const all = expectations(world, revisions);
      // That it may go for a successor that can never run is what `servesOn` looks at.
      if (all.some((expectation) => wantedBy(container, expectation) !== undefined)) return;
      const name = container.role;
      const excluded = all.some(
        ({ containers }) =>
          containers.every((wanted) => wanted.name !== name || excludes(wanted, container)) ||
          containers.some((wanted) => wanted.name === edgeRole && excludes(wanted, container)),
      );
      const published = publishedByPersons(engine);
      const isBlocked = all.every(({ containers }) =>
        containers.some(({ ports }) => ports.some(([, port]) => published.has(port))),
      );
      if (isBlocked)
        return broken(
          `${by} calls ${call} on ${container.name} of ${key}, and a port of its successor is not free`,
        );
      if (excluded || hasGivenWay(all, containersOf(engine, key), container)) return;
      if (isStillTried(world, engine, container) || isOfAnotherLayout(world, container, all)) return;
      const heirs = containersOf(engine, key).filter(
        (other) =>
          other !== container && other.role === name && isSettled(other, { atMs: nowMs, slackMs: 500 }),
      );
      if (heirs.length === 0)
        broken(`${by} calls ${call} on ${container.name} of ${key}, and no successor runs well`);
    },
  }),
};

/** A look, and the call that it leads to. */
const lookAgeMs = 2_000;

/** Long enough for a look to show it. What else on the host holds a port, no engine can tell before a start. */
function publishedByPersons(engine: DockerEngine): ReadonlySet<number> {
  const others = [...engine.containers.values()].filter(
    (one) => one.madeBy === 'person' && isUp(one) && engine.now() - one.startedMs > lookAgeMs,
  );
  return new Set(others.flatMap(({ ports }) => Object.values(ports)));
}

/**
 * Whether it never got its name, so that nobody found it by that, and no longer could: one that is alone is called otherwise than
 * one of several.
 */
function isOfAnotherLayout(world: World, container: Container, all: readonly Expectation[]): boolean {
  const { name, role, tenant, createdMs } = container;
  const isTried = /_(next|drop)$/.test(name) && world.ledger.lastReadyMs(tenant) < createdMs;
  const isAlone = !name.replace(/_(next|drop)$/, '').endsWith(`.${role}`);
  return isTried && all.every(({ containers }) => containers.every((wanted) => wanted.isAlone !== isAlone));
}

/** Whether it never served: what it was to succeed runs still. */
function isStillTried(world: World, engine: DockerEngine, container: Container): boolean {
  const { createdMs, role, tenant } = container;
  return (
    world.ledger.lastReadyMs(tenant) < createdMs &&
    containersOf(engine, tenant).some(
      (other) =>
        other.role === role &&
        other.createdMs < createdMs &&
        // A job that has come to its end has done what it is for.
        (isUp(other) || (other.state === 'exited' && other.exitCode === 0)),
    )
  );
}

/** All of a tenant's containers are replaced together: one that excludes its successor takes the others along. */
function hasGivenWay(
  all: readonly Expectation[],
  there: readonly Container[],
  container: Container,
): boolean {
  return all.some(({ containers }) =>
    containers.some((wanted) =>
      there.some((one) => one !== container && one.role === wanted.name && excludes(wanted, one)),
    ),
  );
}

function excludes(wanted: Wanted, container: Container): boolean {
  // Of several host ports for one of its own, the model tells the last.
  const bindings = Object.values(
    (container.hostConfig.PortBindings ?? {}) as Record<string, { HostPort?: string }[]>,
  );
  const bound = bindings.flat().map(({ HostPort }) => Number(HostPort));
  const held = [...Object.values(container.ports), ...bound];
  const binds = container.hostConfig.Binds ?? [];
  const source = (bind: string): string => bind.split(':')[0] ?? '';
  return (
    wanted.ports.some(([, port]) => port !== 0 && held.includes(port)) ||
    wanted.binds.some((bind) => binds.some((other) => source(other) === source(bind))) ||
    imageFacts(container.image).volume !== undefined
  );
}

/** A look and the call that it leads to. */
const justMs = 1_000;

const namesLeadToProven: Invariant = {
  name: 'namesLeadToProven',
  promise:
    'a name in a tenant’s network leads to no successor that is not proven beside one that is, and never to none',
  watch: (world, broken) => ({
    onEngineChange(engine, { by, call, container, detail }) {
      if (by === 'person' || container === undefined || container.madeBy === 'person') return;
      const nowMs = world.time.now();
      const { role, name, tenant } = container;
      const network = container.hostConfig.NetworkMode ?? '';
      const others = reached(engine, network, role).filter(
        (one) => one !== container && one.tenant === tenant,
      );
      const isNamed = container.endpoints.get(network)?.aliases.includes(role) === true;
      // One that was proven, and that a person has just ended, is only brought back.
      const isBack = (engine.disturbedMs.get(tenant) ?? 0) >= nowMs - justMs;
      const comes = (call === 'start' && isNamed && !isBack) || (call === 'connect' && detail === role);
      const isProven = call === 'connect' && isSettled(container, { atMs: nowMs, slackMs: 500 });
      if (comes && !isProven && others.some((one) => isSettled(one, { atMs: nowMs })))
        return broken(`${by} lets ${role} of ${tenant} lead to ${name}, which is not proven`);
      const goes =
        (call === 'stop' || call === 'remove') && isNamed && name.endsWith('_old') && isUp(container);
      const heir = engine.find(name.replace(/_old$/, ''));
      if (goes && heir?.hostConfig.NetworkMode === network && isUp(heir) && others.length === 0)
        broken(`${by} calls ${call} on ${name}, and ${role} of ${tenant} leads to nobody then`);
    },
  }),
};

const oneServes: Invariant = {
  name: 'oneServes',
  promise: 'of two containers that do the same, one goes soon',
  watch(world, broken) {
    const since = new Map<string, number>();
    const leftBehind = watchLeftBehind(world);
    return {
      onCommit: (commit) => leftBehind.onCommit(commit),
      onSample() {
        const twins = new Set<string>();
        for (const engine of world.engines.values())
          for (const twin of twinsOn(engine, leftBehind))
            if (isToRun(world, twin.split(' ')[0] ?? '')) twins.add(twin);
        for (const key of since.keys()) if (!twins.has(key)) since.delete(key);
        for (const key of twins) {
          const first = since.get(key) ?? world.time.now();
          since.set(key, first);
          if (world.time.now() - first > twinsMs)
            broken(`two of ${key} have run for ${twinsMs / 60_000} minutes`);
        }
      },
    };
  },
};

/** A successor that is tried gets this long, and the settling time of one that keeps failing is five minutes. */
const twinsMs = 900_000;

function isToRun(world: World, key: string): boolean {
  const tenant = world.ledger.tenants.get(key);
  const config = world.operators[0]?.config;
  if (tenant === undefined || config === undefined) return false;
  if (tenant.spec.suspend === true || !isLookedAfter(world, tenant)) return false;
  // That one goes is held back until somebody consents.
  if (findCondition(tenant.status?.conditions, 'Ready')?.reason === 'ApprovalRequired') return false;
  // What runs of one that may not have its id is nobody's to touch.
  if (ownerOf(tenant, lookedAfter(world)) !== tenant || isInTheWay(world, tenant)) return false;
  return expectationOf(world, tenant, config).fault === undefined;
}

function twinsOn(engine: DockerEngine, leftBehind: LeftBehind): readonly string[] {
  const seen = new Set<string>();
  const twins: string[] = [];
  for (const container of engine.containers.values()) {
    if (!isUp(container) || container.madeBy === 'person' || leftBehind.has(engine, container)) continue;
    const key = `${container.tenant} ${container.role}`;
    if (seen.has(key)) twins.push(key);
    seen.add(key);
  }
  return twins;
}

const keepsData: Invariant = {
  name: 'keepsData',
  promise: 'data of a tenant is removed with the Tenant alone, and only where that is asked for',
  watch: (world, broken) => ({
    onEngineChange(engine, change) {
      const { by } = change;
      if (by === 'person') return;
      for (const [volume, key] of lostBy(engine, change)) {
        const revisions = knownRevisions(world, key);
        const isAskedFor = revisions.some((one) => one?.spec.volumePolicy === 'Delete');
        if (!isGoing(revisions)) broken(`${by} removes ${volume} of ${key}, which stays`);
        else if (change.call === 'removeVolume' && !isAskedFor)
          broken(`${by} removes ${volume} of ${key}, unasked`);
      }
    },
  }),
};

/** Volumes with data that go with the change, and whose they are. */
function lostBy(
  engine: DockerEngine,
  { call, container, volume }: EngineChange,
): readonly (readonly [string, string])[] {
  // Files of the spec are no data.
  if (volume?.Name.includes('_.files.') === true) return [];
  if (call === 'removeVolume' && volume !== undefined) {
    const key = tenantMark(volume.Labels);
    // One of nobody's is a note of the operator's own.
    return key === '/' ? [] : [[volume.Name, key]];
  }
  if (call !== 'remove' || container === undefined || container.startedMs === 0) return [];
  return container.anonymousVolumes
    .filter((name) => usersOf(engine, name).length === 1)
    .map((name) => [name, container.tenant]);
}

const leavesSuspendedAlone: Invariant = {
  name: 'leavesSuspendedAlone',
  promise: 'nothing of a suspended Tenant is changed',
  watch: (world, broken) => ({
    onEngineChange(_engine, { by, call, container }) {
      if (by === 'person' || container === undefined || container.madeBy === 'person') return;
      const key = container.tenant;
      const revisions = knownRevisions(world, key);
      if (isGoing(revisions) || revisions.some((one) => one?.spec.suspend !== true)) return;
      broken(`${by} calls ${call} on ${container.name} of ${key}, which is suspended`);
    },
  }),
};

const leavesObservedAlone: Invariant = {
  name: 'leavesObservedAlone',
  promise: 'nothing of a Tenant that is only observed is changed, nor is anything made for it',
  watch: (world, broken) => ({
    onEngineChange(_engine, { by, call, container, volume }) {
      if (by === 'person') return;
      const key = container?.tenant ?? (volume === undefined ? '' : tenantMark(volume.Labels));
      const revisions = knownRevisions(world, key);
      if (revisions.length === 0 || revisions.some((one) => one?.spec.mode !== 'Observe')) return;
      broken(`${by} calls ${call} on what is of ${key}, which is only observed`);
    },
  }),
};

const leavesReportedAlone: Invariant = {
  name: 'leavesReportedAlone',
  promise: 'with driftPolicy Report, what a person has changed is left as it is',
  watch(world, broken) {
    const configs = new Map<string, string>();
    /** Whether what there is of the tenant was made by an operator with another config, which wants something else. */
    const isOfOther = (engine: DockerEngine, key: string, by: string): boolean =>
      containersOf(engine, key).some(
        ({ madeBy }) => configs.has(madeBy) && configs.get(madeBy) !== configs.get(by),
      );
    return {
      onEngineChange(engine, { by, call, container }) {
        if (by === 'person' || container === undefined || container.madeBy === 'person') return;
        for (const { process, config } of world.operators) configs.set(process.name, JSON.stringify(config));
        if (call === 'create' || call === 'rename') return;
        const key = container.tenant;
        const revisions = world.ledger.since(key, world.time.now() - 3 * lagMs);
        if (isGoing(revisions) || revisions.length !== 1) return;
        const [tenant] = revisions;
        if (tenant?.spec.driftPolicy !== 'Report' || placementOf(world, key) === undefined) return;
        if (containersOf(engine, key).some((one) => isOfOldSecret(world, tenant, one))) return;
        if (!world.ledger.wasReady(tenant.metadata.uid, tenant.metadata.generation ?? 0)) return;
        if (isOfOther(engine, key, by) || configs.get(container.madeBy) !== configs.get(by)) return;
        const [operator] = world.operators;
        if (world.operators.length > 1 || world.ledger.lastReadyMs(key) < (operator?.startedMs ?? 0)) return;
        broken(`${by} calls ${call} on ${container.name} of ${key}, whose drift is only to be reported`);
      },
    };
  },
};

/** Whether it has a value that its Secret has no more: a new one is a new wish, and no drift. */
function isOfOldSecret(world: World, { spec }: StoredTenant, { role, body }: Container): boolean {
  const env = spec.containers?.find(({ name }) => name === role)?.env ?? [];
  return env.some(({ name, valueFrom }) => {
    if (valueFrom?.secretKeyRef === undefined) return false;
    const { name: secret, key } = valueFrom.secretKeyRef;
    const values = world.ledger.secretValues(secret, key, world.time.now());
    return !values.some((value) => body.Env?.includes(`${name}=${value}`));
  });
}

function placementOf({ ledger }: World, key: string): unknown {
  return ledger.tenants.get(key)?.status?.placement;
}

/** How long what a person does may take before it is anybody's business. */
const interruptionMs = 2_000;

const letsPeopleFinish: Invariant = {
  name: 'letsPeopleFinish',
  promise: 'what a person has just paused is not resumed under their hands',
  watch: (world, broken) => ({
    onEngineChange(_engine, { by, call, container }) {
      if (by === 'person' || call !== 'unpause' || container === undefined) return;
      const pausedMs = world.time.now() - container.pausedMs;
      if (pausedMs < interruptionMs)
        broken(`${by} resumes ${container.name}, ${Math.round(pausedMs)} ms after it was paused`);
    },
  }),
};

const lossIsTold: Invariant = {
  name: 'lossIsTold',
  promise: 'a volume that a Tenant has lost is not made anew without a word',
  watch(world, broken) {
    // Volumes by engine and name, each with whose it is: those that a Ready Tenant is known to have used, and of these those gone.
    const known = new Map<string, string>();
    const lost = new Map<string, string>();
    const untold = new Map<string, number>();
    const forget = (key: string, isForgotten: (id: string) => boolean): void => {
      for (const volumes of [known, lost])
        for (const [id, of] of volumes) if (of === key && isForgotten(id)) volumes.delete(id);
    };
    return {
      onEngineChange(engine, { by, call, volume }) {
        if (volume === undefined) return;
        const id = `${engine.name}/${volume.Name}`;
        const key = known.get(id);
        if (call === 'removeVolume' && by === 'person' && key !== undefined) lost.set(id, key);
        else if (call === 'removeVolume') lost.delete(id);
        else if (lost.delete(id)) untold.set(id, world.time.now());
      },
      onCommit({ before, after }) {
        for (const told of wordsOf(after))
          for (const volumes of [lost, untold])
            for (const id of volumes.keys()) if (told.includes(volumeOf(id))) volumes.delete(id);
        const tenant = (after ?? before) as StoredTenant | undefined;
        if (tenant?.kind !== 'Tenant') return;
        const key = keyOfTenant(tenant);
        // Of a Tenant that is gone, or whose status was wiped, nobody knows what it had.
        forget(key, after === undefined || tenant.status?.placement === undefined ? () => true : () => false);
        forget(key, (id) => !asksFor(world, tenant, volumeOf(id)));
        if (findCondition(tenant.status?.conditions, 'Ready')?.reason !== 'Running') return;
        for (const id of usedBy(world, key)) known.set(id, key);
      },
      onSample() {
        for (const [id, sinceMs] of untold)
          if (world.time.now() - sinceMs > lagMs) broken(`${volumeOf(id)} was lost, and is made anew`);
      },
    };
  },
};

/** What is said in words: by the conditions of a Tenant, or by an Event. */
function wordsOf(committed: KubeObject | undefined): readonly string[] {
  const { note, status } = (committed ?? {}) as { note?: string; status?: StoredTenant['status'] };
  return [note ?? '', ...(status?.conditions ?? []).map(({ message }) => message)];
}

/** The name in `engine/name`. */
function volumeOf(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}

function usedBy(world: World, key: string): readonly string[] {
  return [...world.engines.values()].flatMap((engine) =>
    [...engine.volumes.values()].flatMap(({ Name, Labels }) =>
      tenantMark(Labels) === key && usersOf(engine, Name).length > 0 ? [`${engine.name}/${Name}`] : [],
    ),
  );
}

/** What an image asks for is not to be seen in a spec: it is asked for as long as there is its container. */
function asksFor(world: World, tenant: StoredTenant, volume: string): boolean {
  if (providerOf(tenant) !== 'docker') return true;
  return world.operators.some(({ config }) =>
    expectationOf(world, tenant, config).containers.some(
      ({ name, binds }) =>
        volume.includes(`.${name}.`) || binds.some((bind) => bind.split(':')[0] === volume),
    ),
  );
}

const jobsRunOnce: Invariant = {
  name: 'jobsRunOnce',
  promise: 'a job that has come to its end is not run again for the same spec at the same place',
  watch(world, broken) {
    const ended = new Set<string>();
    // Two operators that want different things run it for each other's; whoever stays runs it for its own.
    const contested = new Set<string>();
    const isAtHome = (engine: DockerEngine, one: Container): boolean =>
      world.operators.some(({ config }) => isAtPlaceOf(config, engine, one));
    return {
      // Of a place that is left, what was done there is not remembered; nor of a job that was none of the Tenant's for a while.
      onCommit({ before, after }) {
        const tenant = after as StoredTenant | undefined;
        if (tenant?.kind !== 'Tenant') return;
        const roles = (tenant.spec.containers ?? [{ name: 'app' }]).map(({ name }) => name);
        for (const job of ended) {
          const [, uid, role = ''] = job.split(' ');
          if (uid === tenant.metadata.uid && !roles.includes(role)) ended.delete(job);
        }
        const [from, to] = [before as StoredTenant | undefined, tenant].map(placeWords);
        if (from === undefined || to === undefined || from === to) return;
        for (const job of ended) if (job.includes(` ${tenant.metadata.uid} `)) ended.delete(job);
      },
      onSample() {
        for (const engine of world.engines.values())
          for (const one of engine.containers.values())
            if (
              isAtHome(engine, one) &&
              one.state === 'exited' &&
              one.exitCode === 0 &&
              endsForGood(one) &&
              one.startedMs !== 0 &&
              !one.wasStopped
            )
              ended.add(jobOf(world, engine, one));
      },
      onEngineChange(engine, { by, call, container }) {
        if (container === undefined || !endsForGood(container)) return;
        // What an attempt that is taken back has done, the next one does again; so does who comes back to what was replaced.
        const isForgotten = call === 'remove' && /_(next|drop|old)$/.test(container.name);
        if (isForgotten) ended.delete(jobOf(world, engine, container));
        if (by === 'person' || call !== 'create') return;
        const job = jobOf(world, engine, container);
        if (world.operators.length > 1) contested.add(job);
        if (ended.has(job) && !contested.has(job))
          broken(`${by} runs ${container.name} again, which has ended well`);
      },
    };
  },
};

const releasesRunOnce: Invariant = {
  name: 'releasesRunOnce',
  promise: 'a release that has come to a good end is not run again, unless another one was run in between',
  watch(world, broken) {
    // What was run last of each Tenant at each place, and whether it came to its end.
    const last = new Map<string, { readonly hash: string; isDone: boolean }>();
    const placeOf = (engine: DockerEngine, { tenant }: Container): string =>
      `${engine.name} ${world.ledger.tenants.get(tenant)?.metadata.uid ?? ''}`;
    return {
      onCommit({ before, after }) {
        const tenant = after as StoredTenant | undefined;
        const [from, to] = [before as StoredTenant | undefined, tenant].map(placeWords);
        if (tenant?.kind !== 'Tenant' || (from === to && tenant.spec.release !== undefined)) return;
        for (const key of last.keys()) if (key.endsWith(` ${tenant.metadata.uid}`)) last.delete(key);
      },
      onSample() {
        for (const engine of world.engines.values())
          for (const one of engine.containers.values()) {
            const known = last.get(placeOf(engine, one));
            const isIt = isRelease(one) && known?.hash === hashOf(one);
            if (isIt && one.state === 'exited' && one.exitCode === 0) known.isDone = true;
          }
      },
      onEngineChange(engine, { by, call, container }) {
        if (container === undefined || call !== 'create' || !isRelease(container)) return;
        const key = placeOf(engine, container);
        const hash = hashOf(container);
        // Of two operators that want different things each runs its own.
        const isContested = by === 'person' || world.operators.length > 1;
        if (last.get(key)?.isDone === true && last.get(key)?.hash === hash && !isContested)
          broken(`${by} runs ${container.name} again, which has ended well`);
        last.set(key, { hash, isDone: false });
      },
    };
  },
};

function isRelease({ role }: Container): boolean {
  return role.endsWith('.release');
}

function hashOf({ labels }: Container): string {
  return Object.entries(labels).find(([key]) => key.endsWith('.spec_hash'))?.[1] ?? '';
}

function endsForGood({ hostConfig }: Container): boolean {
  return ['no', 'on-failure'].includes(hostConfig.RestartPolicy?.Name ?? '');
}

/** Whatever address leads there. */
function placeWords(tenant: StoredTenant | undefined): string | undefined {
  const placement = tenant?.status?.placement;
  return placement && JSON.stringify({ ...placement, host: undefined });
}

/** By what it was made for: its Tenant may be another generation by the time it ends. */
function jobOf(world: World, engine: DockerEngine, { tenant, role, image, labels }: Container): string {
  const { uid = '' } = world.ledger.tenants.get(tenant)?.metadata ?? {};
  const [, hash = ''] = Object.entries(labels).find(([key]) => key.endsWith('.spec_hash')) ?? [];
  return `${engine.name} ${uid} ${role} ${image} ${hash}`;
}

export const whatRuns: readonly Invariant[] = [
  leavesOthersAlone,
  keepsWhatRuns,
  successorFirst,
  namesLeadToProven,
  oneServes,
  keepsData,
  leavesSuspendedAlone,
  leavesObservedAlone,
  leavesReportedAlone,
  letsPeopleFinish,
  lossIsTold,
  jobsRunOnce,
  releasesRunOnce,
];
