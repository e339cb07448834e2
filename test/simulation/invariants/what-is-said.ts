import { findCondition } from '../../../src/api/conditions.ts';
import type { Condition } from '../../../src/api/conditions.ts';
import { finalizer } from '../../../src/api/names.ts';
import type { TenantStatus } from '../../../src/api/status.ts';
import { KubeApiError, KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';
import type { Commit } from '../../controller/memory-apiserver.ts';
import { isReady } from '../ledger.ts';
import type { StoredTenant } from '../ledger.ts';
import { isUp } from '../models/docker-container.ts';
import type { Container } from '../models/docker-container.ts';
import { markOf } from '../models/docker-engine.ts';
import type { DockerEngine } from '../models/docker-engine.ts';
import { serviceNameOf } from '../models/ecs-client.ts';
import {
  containersOf,
  expectationOf,
  isAtPlaceOf,
  isLookedAfter,
  keyOfTenant,
  lackingOf,
  lackingOnEcs,
  settleMs,
  providerOf,
  defaultIdOf,
} from '../truth.ts';
import type { World } from '../world.ts';
import type { Invariant } from './invariant.ts';

/** What status, Events and log say, held against what is the case. */

/** A status that an operator has written. */
interface Said {
  readonly by: string;
  readonly tenant: StoredTenant;
  readonly before: TenantStatus | undefined;
  readonly status: TenantStatus;
  readonly ready: Condition | undefined;
  readonly wasReady: Condition | undefined;
}

function statusSaid({ user, collection, subresource, before, after }: Commit): Said | undefined {
  if (user === 'user' || collection !== 'tenants' || subresource !== 'status' || after === undefined)
    return undefined;
  const tenant = after as StoredTenant;
  if (tenant.status === undefined) return undefined;
  const { status } = tenant;
  const known = (before as StoredTenant | undefined)?.status;
  return {
    by: user,
    tenant,
    before: known,
    status,
    ready: findCondition(status.conditions, 'Ready'),
    wasReady: findCondition(known?.conditions, 'Ready'),
  };
}

function onStatus(take: (said: Said) => void): (commit: Commit) => void {
  return (commit) => {
    const said = statusSaid(commit);
    if (said !== undefined) take(said);
  };
}

/** What a look has seen may have changed since. */
const lookAgeMs = 2_000;
/** A timer may be early by that. */
const slackMs = 500;

function wasDisturbed(world: World, key: string, sinceMs: number): boolean {
  return [...world.engines.values()].some((engine) => (engine.disturbedMs.get(key) ?? 0) >= sinceMs);
}

/** What does not run as it should of what that generation asks for. */
function lacking(
  world: World,
  tenant: StoredTenant,
  generation: number,
  by: string | undefined,
): readonly string[] {
  const wished = world.ledger.ofGeneration(tenant.metadata.uid, generation) ?? tenant;
  const writer = world.operators.find(({ process }) => process.name === by);
  const { config } = writer ?? world.operators[0] ?? {};
  if (config === undefined) return [];
  const onEcs = providerOf(wished) === 'ecs' ? lackingOnEcs(world, wished) : undefined;
  if (onEcs !== undefined) return [onEcs];
  if (providerOf(wished) !== 'docker') return [];
  const expectation = expectationOf(world, wished, config);
  const watchedSinceMs = writer?.startedMs ?? watchedSince(world);
  const at = { atMs: world.time.now(), slackMs, watchedSinceMs };
  return lackingOf(world.engineNamed(config.engine), keyOfTenant(tenant), expectation, at).map(
    ({ name }) => name,
  );
}

const readyIsTrue: Invariant = {
  name: 'readyIsTrue',
  promise: 'Ready=True is written only while what runs is that generation, and has run well for long enough',
  watch: (world, broken) => ({
    onCommit: onStatus(({ by, tenant, ready, wasReady }) => {
      if (ready?.status !== 'True' || ready.reason !== 'Running' || tenant.status?.drift !== undefined)
        return;
      if (wasReady?.status === 'True' && wasReady.observedGeneration === ready.observedGeneration) return;
      const key = keyOfTenant(tenant);
      if (wasDisturbed(world, key, world.time.now() - lookAgeMs - world.weather.watchLagMs[1])) return;
      const names = lacking(world, tenant, ready.observedGeneration ?? 0, by);
      if (names.length > 0)
        broken(
          `${key} is called Ready at generation ${ready.observedGeneration ?? 0}, and ${names.join(', ')} does not do well`,
        );
    }),
  }),
};

/** How long somebody has been there who could know better. */
function watchedSince(world: World): number {
  const started = world.operators.filter(({ process }) => process.isAlive).map(({ startedMs }) => startedMs);
  return started.length === 0 ? Infinity : Math.min(...started);
}

function unreachableSince(world: World): number {
  const { enginesCutOff, enginesCutOffSinceMs, apiserverDown } = world.weather;
  if (apiserverDown) return Infinity;
  if (enginesCutOff) return enginesCutOffSinceMs;
  const engine = world.engines.get(world.operators[0]?.config.engine ?? '');
  return engine === undefined || engine.unreachableSinceMs === 0 ? Infinity : engine.unreachableSinceMs;
}

/** A sweep, a look, a write. */
const noticeMs = 120_000;

/** Calls back once the same has been the case for `ms`, and nobody's absence is the cause. */
function lasting(
  world: World,
  ms: number,
  isTheCase: (tenant: StoredTenant) => boolean,
  then: (tenant: StoredTenant) => void,
) {
  const since = new Map<string, number>();
  return (): void => {
    const nowMs = world.time.now();
    const { apiserverDown, apiserverBackMs } = world.weather;
    const isWatched = !apiserverDown && watchedSince(world) + ms < nowMs && nowMs - apiserverBackMs > ms;
    for (const [key, tenant] of world.ledger.tenants) {
      if (!isWatched || !isLookedAfter(world, tenant) || !isTheCase(tenant)) {
        since.delete(key);
        continue;
      }
      const first = since.get(key) ?? nowMs;
      since.set(key, first);
      if (nowMs - first > ms) then(tenant);
    }
  };
}

function saysItRuns(tenant: StoredTenant): boolean {
  const ready = findCondition(tenant.status?.conditions, 'Ready');
  return ready?.status === 'True' && ready.reason === 'Running';
}

const readyIsKept: Invariant = {
  name: 'readyIsKept',
  promise: 'Ready=True does not outlast what it speaks of by minutes',
  watch(world, broken) {
    /** When there was another operator that writes it, too: what that one has written is answered ever more slowly. */
    let rivalMs = -Infinity;
    const onSample = lasting(
      world,
      noticeMs,
      (tenant) => {
        const isKnowable = unreachableSince(world) === Infinity && world.weather.engineRefuses === undefined;
        return (
          isKnowable &&
          world.time.now() - rivalMs > longestWaitMs &&
          isReady(tenant) &&
          providerOf(tenant) === 'docker' &&
          tenant.status?.drift === undefined &&
          saysItRuns(tenant) &&
          lacking(world, tenant, tenant.metadata.generation ?? 0, undefined).length > 0
        );
      },
      (tenant) => broken(`${keyOfTenant(tenant)} has long been called Ready, and does not do well`),
    );
    return {
      onSample() {
        if (world.operators.length > 1) rivalMs = world.time.now();
        onSample();
      },
    };
  },
};

const longestWaitMs = 300_000;

/** 60 s are promised; a pass takes its time. */
const contactMs = 70_000;

const contactIsEvidence: Invariant = {
  name: 'contactIsEvidence',
  promise: 'nothing is called Ready for more than a minute without contact to its engine',
  watch: (world, broken) => ({
    onSample() {
      const since = Math.max(unreachableSince(world), watchedSince(world), world.weather.apiserverBackMs);
      const ecsSince = Math.max(
        world.weather.ecsOutSinceMs,
        watchedSince(world),
        world.weather.apiserverBackMs,
      );
      if (world.time.now() - ecsSince >= contactMs)
        for (const tenant of world.ledger.tenants.values())
          if (saysItRuns(tenant) && tenant.status?.placement?.provider === 'ecs')
            broken(
              `${keyOfTenant(tenant)} is Ready, and ECS has been out of reach for ${contactMs / 1000} s`,
            );
      if (world.time.now() - since < contactMs) return;
      for (const tenant of world.ledger.tenants.values())
        if (saysItRuns(tenant) && tenant.status?.placement?.provider === 'docker')
          broken(
            `${keyOfTenant(tenant)} is Ready, and its engine has been out of reach for ${contactMs / 1000} s`,
          );
    },
  }),
};

const generationIsTold: Invariant = {
  name: 'generationIsTold',
  promise: 'Ready=True of an older generation does not stand for long',
  watch: (world, broken) => ({
    onSample: lasting(
      world,
      noticeMs,
      (tenant) => saysItRuns(tenant) && !isReady(tenant) && tenant.metadata.deletionTimestamp === undefined,
      (tenant) =>
        broken(
          `${keyOfTenant(tenant)} is Ready at generation ${tenant.status?.observedGeneration ?? -1} of ${tenant.metadata.generation ?? 0}`,
        ),
    ),
  }),
};

const rejectedForItsOwnFault: Invariant = {
  name: 'rejectedForItsOwnFault',
  promise: 'a spec is rejected only for what its own containers did by themselves',
  watch: (world, broken) => ({
    onCommit: onStatus(({ by, tenant, before, status }) => {
      const { rejected } = status;
      if (rejected === undefined || rejected.specHash === before?.rejected?.specHash) return;
      const config = world.operators.find(({ process }) => process.name === by)?.config;
      const generation = status.observedGeneration;
      const wished = world.ledger.ofGeneration(tenant.metadata.uid, generation);
      if (config === undefined || wished === undefined || providerOf(wished) === 'mock') return;
      if (expectationOf(world, wished, config).fault === undefined)
        broken(`${keyOfTenant(tenant)} can run, and is rejected: ${rejected.message}`);
    }),
  }),
};

/** What an engine is like, not what runs there. */
const reasonsOfALook: readonly string[] = ['Throttled', 'AccessDenied', 'ProviderUnavailable'];
/** A minute is counted from the last answer, for which Docker is asked each 10 s, and ECS each 20 s. */
const silenceMs = { docker: 45_000, ecs: 35_000 } as const;

const silenceSaysNothing: Invariant = {
  name: 'silenceSaysNothing',
  promise:
    'an engine that does not answer, throttles or refuses a look changes nothing of what is known for a minute',
  watch: (world, broken) => ({
    onCommit: onStatus(({ tenant, before, status, ready, wasReady }) => {
      const key = keyOfTenant(tenant);
      if (wasReady?.status !== 'True' || ready === undefined) return;
      const isSameWish =
        before?.observedGeneration === status.observedGeneration && !movesAway(before, status);
      if (!isSameWish || tenant.metadata.deletionTimestamp !== undefined) return;
      // What was seen to stop, or to be scaled, is no longer known to be as it should, whoever refuses to put it right.
      if (wasDisturbed(world, key, world.time.now() - 60_000)) return;
      if ((world.disturbedOnEcsMs.get(key) ?? 0) >= world.time.now() - 60_000) return;
      if (ready.status !== 'True' && reasonsOfALook.includes(ready.reason)) {
        const sinceMs = world.time.now() - world.weather.troubleSinceMs;
        if (ready.status === 'False' || sinceMs < silenceMs[providerOf(tenant) === 'ecs' ? 'ecs' : 'docker'])
          broken(
            `${key} was Ready, and is ${ready.status} for ${ready.reason} after ${Math.round(sinceMs)} ms`,
          );
      }
      if (
        ready.reason === 'Suspended' &&
        before?.compute?.state === 'running' &&
        status.compute?.state === 'unknown'
      )
        broken(`${key} is suspended, and what runs is forgotten`);
    }),
  }),
};

function movesAway(before: TenantStatus | undefined, status: TenantStatus): boolean {
  return JSON.stringify(before?.placement) !== JSON.stringify(status.placement);
}

const illnessIsSeen: Invariant = {
  name: 'illnessIsSeen',
  promise: 'what runs well is not called ill',
  watch: (world, broken) => ({
    onCommit: onStatus(({ by, tenant, ready, wasReady }) => {
      if (ready?.status !== 'False' || wasReady?.status !== 'True') return;
      if (wasReady.observedGeneration !== ready.observedGeneration || providerOf(tenant) !== 'docker') return;
      const key = keyOfTenant(tenant);
      if (ready.reason !== 'Unhealthy' || wasDisturbed(world, key, world.time.now() - 30_000)) return;
      if (world.ledger.since(key, world.time.now() - 30_000).length > 1) return;
      const config = world.operators.find(({ process }) => process.name === by)?.config;
      if (config === undefined) return;
      const there = containersOf(world.engineNamed(config.engine), key);
      // What was started just now has not run well yet, be it that an earlier run of that job did.
      const isNew = ({ startedMs }: { readonly startedMs: number }): boolean =>
        world.time.now() - startedMs < settleMs;
      if (there.length === 0 || there.some(isNew)) return;
      if (lacking(world, tenant, ready.observedGeneration ?? 0, by).length === 0)
        broken(`${key} does well, and is ${ready.reason}: ${ready.message}`);
    }),
  }),
};

const finalizerLast: Invariant = {
  name: 'finalizerLast',
  promise: 'the finalizer goes only once nothing is left, or the workload is to stay',
  watch: (world, broken) => ({
    onCommit({ user, collection, before, after }) {
      if (user === 'user' || collection !== 'tenants' || before === undefined) return;
      const had = before.metadata.finalizers?.includes(finalizer) === true;
      if (!had || after?.metadata.finalizers?.includes(finalizer) === true) return;
      const tenant = before as StoredTenant;
      const key = keyOfTenant(tenant);
      if (tenant.metadata.deletionTimestamp === undefined)
        broken(`${user} takes the finalizer of ${key}, which stays`);
      if (tenant.spec.deletionPolicy === 'Retain') return;
      const left = leftOf(world, key, tenant.metadata.uid);
      if (left.length > 0) broken(`${user} takes the finalizer of ${key}, and ${left.join(', ')} is left`);
    },
  }),
};

/** What operators made for it and is still there. */
function leftOf(world: World, key: string, uid: string): readonly string[] {
  const service = serviceNameOf(defaultIdOf(key));
  const onEcs = world.hasAws && world.aws().service(service)?.status === 'ACTIVE' ? [service] : [];
  const onEngines = [...world.engines.values()].flatMap((engine) =>
    containersOf(engine, key)
      .filter((one) => one.state !== 'removing' && isWithinReach(world, engine, one, uid))
      .map(({ name }) => name),
  );
  return [...onEcs, ...onEngines];
}

/** What was to stay of an object before it, at a place that no config leads to any more, it never had. */
function isWithinReach(world: World, engine: DockerEngine, container: Container, uid: string): boolean {
  return (
    markOf(container.labels, 'tenant_uid') === uid ||
    world.operators.some(({ config }) => isAtPlaceOf(config, engine, container))
  );
}

const goneIsGone: Invariant = {
  name: 'goneIsGone',
  promise: 'that nothing is left is told once, and is true',
  watch(world, broken) {
    const told = new Set<string>();
    return {
      onCommit(commit) {
        const event = eventOf(commit);
        if (event === undefined || !event.note.includes('nothing of it is left')) return;
        const { namespace = '', name = '', uid = '' } = event.regarding;
        const left =
          world.ledger.tenants.get(`${namespace}/${name}`)?.metadata.uid === uid
            ? []
            : leftOf(world, `${namespace}/${name}`, uid);
        if (left.length > 0 && !world.ledger.tenants.has(`${namespace}/${name}`))
          broken(`nothing of ${name} is said to be left, and ${left.join(', ')} is`);
        if (told.has(uid)) broken(`that nothing of ${name} is left is told twice`);
        told.add(uid);
      },
    };
  },
};

interface StoredEvent {
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly namespace?: string; readonly name?: string; readonly uid?: string };
}

/** One that is told anew, or once more. */
function eventOf({ collection, after }: Commit): StoredEvent | undefined {
  return collection === 'events' && after !== undefined ? (after as unknown as StoredEvent) : undefined;
}

const provisionedOnce: Invariant = {
  name: 'provisionedOnce',
  promise: 'Provisioned is told once for each place',
  watch(world, broken) {
    const places = new Map<string, string[]>();
    const told = new Map<string, number>();
    return {
      onCommit(commit) {
        const said = statusSaid(commit);
        if (said?.status.placement !== undefined) {
          const { uid } = said.tenant.metadata;
          const move = JSON.stringify([said.before?.placement, said.status.placement]);
          places.set(uid, [...(places.get(uid) ?? []), move]);
        }
        const event = eventOf(commit);
        // Of two operators, neither knows what the other has told.
        if (event?.reason !== 'Provisioned' || world.operators.length > 1) return;
        const { uid = '', name = '' } = event.regarding;
        told.set(uid, (told.get(uid) ?? 0) + 1);
        if ((told.get(uid) ?? 0) > Math.max(1, placesOf(places.get(uid))))
          broken(`${name} is told to be provisioned ${told.get(uid) ?? 0} times`);
      },
    };
  },
};

/** Moves between places, the first one included. */
function placesOf(moves: readonly string[] = []): number {
  return moves.filter((move) => {
    const [from, to] = JSON.parse(move) as [unknown, unknown];
    return JSON.stringify(from) !== JSON.stringify(to);
  }).length;
}

const servesOnIsTrue: Invariant = {
  name: 'servesOnIsTrue',
  promise: 'that what ran before serves on is said only while it does',
  watch: (world, broken) => ({
    onCommit: onStatus(({ by, tenant, ready, wasReady }) => {
      if (ready === undefined || ready.message === wasReady?.message || !/serves on/.test(ready.message))
        return;
      const config = world.operators.find(({ process }) => process.name === by)?.config;
      if (config === undefined) return;
      const key = keyOfTenant(tenant);
      if (wasDisturbed(world, key, world.time.now() - 1_000)) return;
      if (!containersOf(world.engineNamed(config.engine), key).some(isUp))
        broken(`nothing of ${key} runs: ${ready.message}`);
    }),
  }),
};

const keepsSecrets: Invariant = {
  name: 'keepsSecrets',
  promise: 'no value of a Secret stands in a status, an Event, a label or the log',
  watch(world, broken) {
    const check = (where: string, what: unknown): void => {
      if (world.ledger.secrets.size === 0) return;
      const text =
        JSON.stringify(what, (_key, value: unknown) => (value instanceof Error ? value.message : value)) ??
        '';
      for (const secret of world.ledger.secrets)
        if (text.includes(secret)) broken(`${where} shows ${secret}`);
    };
    return {
      onCommit({ user, collection, after }) {
        if (user === 'user' || after === undefined) return;
        if (collection === 'events') check('an Event', after);
        if (collection === 'tenants') check('a status', after.status);
      },
      onLog: ({ fields, message }) => check('the log', { fields, message }),
      onEngineChange: (_engine, { by, container }) => {
        if (by !== 'person' && container !== undefined) check('a label', container.labels);
      },
    };
  },
};

const noInternalErrors: Invariant = {
  name: 'noInternalErrors',
  promise: 'no error is logged that nothing in the world explains',
  watch: (_world, broken) => ({
    onLog({ level, message, fields }) {
      if (level !== 'error') return;
      const error = fields['err'];
      // The apiserver's own failures are the world's.
      if (error instanceof KubeUnreachableError || (error instanceof KubeApiError && error.status >= 500))
        return;
      broken(`${message}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
    },
  }),
};

const orphansHaveNoTenant: Invariant = {
  name: 'orphansHaveNoTenant',
  promise:
    'nothing is reported as an orphan whose Tenant is there, and is to run, or to be emptied, in that place',
  watch: (world, broken) => ({
    onLog({ message, fields }) {
      if (!message.startsWith('orphan')) return;
      const key = String(fields['tenant']);
      const known = world.ledger.since(key, world.time.now() - 10_000);
      const now = world.ledger.tenants.get(key);
      const isThere = known.every((tenant) => tenant !== undefined && !hasGoing(tenant));
      if (isThere && now !== undefined && hasPlaceOn(String(fields['provider']), now))
        broken(`${String(fields['resource'])} of ${key} is reported as an orphan`);
    },
  }),
};

/** One without a place may be about to go anywhere. */
function hasPlaceOn(provider: string, { status }: StoredTenant): boolean {
  if (status?.placement === undefined) return true;
  return [status.placement, ...(status.previousPlacements ?? [])].some(
    (place) => place.provider === provider,
  );
}

function hasGoing({ metadata }: StoredTenant): boolean {
  return metadata.deletionTimestamp !== undefined;
}

export const whatIsSaid: readonly Invariant[] = [
  readyIsTrue,
  readyIsKept,
  contactIsEvidence,
  generationIsTold,
  rejectedForItsOwnFault,
  silenceSaysNothing,
  illnessIsSeen,
  finalizerLast,
  goneIsGone,
  provisionedOnce,
  servesOnIsTrue,
  keepsSecrets,
  noInternalErrors,
  orphansHaveNoTenant,
];
