import { findCondition } from '../../../src/api/conditions.ts';
import { reconcileRequestedAt } from '../../../src/api/names.ts';
import type { Commit } from '../../controller/memory-apiserver.ts';
import { isReady } from '../ledger.ts';
import type { StoredTenant } from '../ledger.ts';
import { isUp } from '../models/docker-container.ts';
import type { Container } from '../models/docker-container.ts';
import { serviceNameOf } from '../models/ecs-client.ts';
import {
  comesFrom,
  containersOf,
  expectationOf,
  isInTheWay,
  isJob,
  isLookedAfter,
  isSettled,
  keyOfTenant,
  lackingOf,
  lookedAfter,
  ownerOf,
  providerOf,
  servesAt,
  standsStill,
  defaultIdOf,
} from '../truth.ts';
import type { Expectation, Wanted } from '../truth.ts';
import type { SpecDraft } from '../actions/specs.ts';
import type { OperatorConfig } from '../operator.ts';
import type { LogLine, World } from '../world.ts';
import type { Invariant } from './invariant.ts';
import { keptBy, watchLeftBehind } from './left-behind.ts';

/** What it comes to, once the world has let it. */

function configOf(world: World): OperatorConfig {
  const config = world.operators[0]?.config;
  if (config === undefined) throw new Error('a run ends with an operator at work');
  return config;
}

/** Tenants that are to run, each with what it asks for. */
function running(world: World): readonly (readonly [StoredTenant, Expectation])[] {
  const config = configOf(world);
  const tenants = lookedAfter(world);
  return tenants
    .filter(({ metadata, spec }) => metadata.deletionTimestamp === undefined && spec.suspend !== true)
    .filter((tenant) => ownerOf(tenant, tenants) === tenant && !isInTheWay(world, tenant))
    .filter(({ spec, status }) => spec.driftPolicy !== 'Report' || status?.drift === undefined)
    .map((tenant) => [tenant, expectationOf(world, tenant, config)]);
}

/** Whether something of it has ended, and is to stay so: what that is called, `jobsAreHealthy` looks at. */
function hasEnded(world: World, tenant: StoredTenant, { containers }: Expectation): boolean {
  const there = containersOf(world.engineNamed(configOf(world).engine), keyOfTenant(tenant));
  return containers.some((wanted) => there.some((one) => comesFrom(one, wanted) && standsStill(one, wanted)));
}

function readyWords(tenant: StoredTenant): string {
  const ready = findCondition(tenant.status?.conditions, 'Ready');
  return `Ready=${ready?.status ?? '?'}/${ready?.reason ?? '?'} at ${ready?.observedGeneration ?? '?'} of ${tenant.metadata.generation ?? '?'}: ${ready?.message ?? ''}`;
}

const whatCanRunRuns: Invariant = {
  name: 'whatCanRunRuns',
  promise: 'in the end, what can run runs as its spec says',
  watch: (world, broken) => ({
    atEnd() {
      const engine = world.engineNamed(configOf(world).engine);
      const at = { atMs: world.time.now(), slackMs: 0 };
      for (const [tenant, expectation] of running(world)) {
        if (expectation.fault !== undefined || expectation.provider !== 'docker') continue;
        if (hasEnded(world, tenant, expectation)) continue;
        const lacking = lackingOf(engine, keyOfTenant(tenant), expectation, at);
        if (lacking.length > 0)
          broken(
            `${lacking.map(({ name }) => name).join(', ')} of ${keyOfTenant(tenant)} does not run well (${readyWords(tenant)})`,
          );
      }
    },
  }),
};

const whatJoinsIsInside: Invariant = {
  name: 'whatJoinsIsInside',
  promise:
    'in the end, what shares the network of a sibling is in that of the one that serves, as it runs by then',
  watch: (world, broken) => ({
    atEnd() {
      const engine = world.engineNamed(configOf(world).engine);
      for (const [tenant, { fault, provider, containers }] of running(world)) {
        if (fault !== undefined || provider !== 'docker') continue;
        const key = keyOfTenant(tenant);
        const there = containersOf(engine, key).filter(({ state }) => state === 'running');
        for (const wanted of containers) {
          const one = there.find((container) => comesFrom(container, wanted));
          const holder = there.find(({ role, name }) => role === wanted.joins && !isOnItsWay(name));
          if (one === undefined || holder === undefined) continue;
          if (one.hostConfig.NetworkMode !== `container:${holder.id}`)
            broken(`${wanted.name} of ${key} is in the network of what does not serve`);
          else if (!endsForGood(wanted) && holder.startedMs > one.startedMs)
            broken(`${wanted.name} of ${key} is cut off: ${holder.name} was started anew`);
        }
      }
    },
  }),
};

function isOnItsWay(name: string): boolean {
  return /_(next|old|drop)$/.test(name);
}

/** What is not kept running is not restarted for its network either. */
function endsForGood({ restartPolicy }: Wanted): boolean {
  return restartPolicy === 'no' || restartPolicy === 'on-failure';
}

const whatRunsIsReady: Invariant = {
  name: 'whatRunsIsReady',
  promise: 'in the end, what can run is Ready at its generation',
  watch: (world, broken) => ({
    atEnd() {
      for (const [tenant, expectation] of running(world)) {
        if (expectation.fault !== undefined || isReady(tenant)) continue;
        if (!hasEnded(world, tenant, expectation)) broken(`${keyOfTenant(tenant)}: ${readyWords(tenant)}`);
      }
    },
  }),
};

const whatCannotRunSaysSo: Invariant = {
  name: 'whatCannotRunSaysSo',
  promise: 'in the end, what can not run is not Ready, and speaks of its generation',
  watch: (world, broken) => ({
    atEnd() {
      for (const [tenant, { fault }] of running(world)) {
        if (fault === undefined) continue;
        const ready = findCondition(tenant.status?.conditions, 'Ready');
        if (ready?.status === 'True' || ready?.observedGeneration !== tenant.metadata.generation)
          broken(`${keyOfTenant(tenant)}: ${fault}, and ${readyWords(tenant)}`);
      }
    },
  }),
};

/** Whether the spec has it still: what is dropped from it and comes back is new. */
function isInSpec(world: World, { tenant, role }: Container): boolean {
  const { containers } = world.ledger.tenants.get(tenant)?.spec ?? {};
  return (
    containers === undefined || (containers as readonly { name: string }[]).some(({ name }) => name === role)
  );
}

const othersRunOn: Invariant = {
  name: 'othersRunOn',
  promise: 'in the end, what can run of a tenant does, whatever becomes of its other containers',
  watch(world, broken) {
    // What has had a name to serve under, by Tenant and container.
    const served = new Set<string>();
    return {
      onEngineChange(_engine, { call, container, detail }) {
        if (container === undefined) return;
        if (call === 'remove' && !isInSpec(world, container))
          served.delete(`${container.tenant} ${container.role}`);
        if (call !== 'create' && call !== 'rename') return;
        const name = detail ?? container.name;
        if (!/_(next|old|drop)$/.test(name)) served.add(`${container.tenant} ${container.role}`);
      },
      atEnd() {
        const engine = world.engineNamed(configOf(world).engine);
        for (const [tenant, { fault, containers }] of running(world)) {
          if (fault === undefined || fault === 'a Secret is missing') continue;
          const key = keyOfTenant(tenant);
          const there = containersOf(engine, key);
          if (!there.some((one) => containers.some((wanted) => comesFrom(one, wanted)))) continue;
          for (const wanted of containers) {
            if (ownFault(world, tenant, wanted.name) || isJob(wanted)) continue;
            if (waitsInVain(world, tenant, containers, wanted)) continue;
            // A spec is rejected as a whole, and waits for its images as a whole: what it adds goes with it.
            const isAdded = isHeld(tenant) && !served.has(`${key} ${wanted.name}`);
            const runs = there.some((one) => one.role === wanted.name && isUp(one));
            if (!runs && !isAdded)
              broken(`${wanted.name} of ${key} stands still for another container's fault (${fault})`);
          }
        }
      },
    };
  },
};

function isHeld({ status }: StoredTenant): boolean {
  const ready = findCondition(status?.conditions, 'Ready');
  return status?.rejected !== undefined || ready?.reason === 'ImageUnavailable';
}

/** Whether one that it has to wait for can't run. */
function waitsInVain(
  world: World,
  tenant: StoredTenant,
  containers: readonly Wanted[],
  { dependsOn }: Wanted,
): boolean {
  const awaited = containers.filter(({ name }) => dependsOn.some(({ container }) => container === name));
  return awaited.some(
    (one) => ownFault(world, tenant, one.name) || waitsInVain(world, tenant, containers, one),
  );
}

/** Whether that container is the one, or one of those, that can't run. */
function ownFault(world: World, tenant: StoredTenant, name: string): boolean {
  const containers = (tenant.spec.containers ?? []).filter((one) => one.name === name);
  if (containers.length === 0) return true;
  const alone = { ...tenant, spec: { ...tenant.spec, containers } };
  return expectationOf(world, alone, configOf(world)).fault !== undefined;
}

const oldOneServes: Invariant = {
  name: 'oldOneServes',
  promise:
    'in the end, something runs of what ran before a spec that can not run, or it is told that a person removed it',
  watch(world, broken) {
    const taken = new Set<string>();
    return {
      onEngineChange(_engine, { by, call, container }) {
        if (by === 'person' && call === 'remove' && container !== undefined) taken.add(container.tenant);
      },
      atEnd() {
        for (const [tenant, { fault, provider }] of running(world)) {
          if (fault === undefined || provider !== 'docker') continue;
          const key = keyOfTenant(tenant);
          // A place that is left is emptied only once the new one is Ready.
          const there = [...world.engines.values()].flatMap((engine) => containersOf(engine, key));
          if (!servedBefore(world, tenant) || there.some((one) => isUp(one) || hasRun(one))) continue;
          const words = readyWords(tenant);
          const isTold = taken.has(key) && /nothing runs now|can't be pulled/i.test(words);
          if (!isTold || isRemembered(world, tenant)) broken(`nothing of ${key} runs any more (${words})`);
        }
      },
    };
  },
};

/** Whether it has ended by itself, and its restart policy leaves it at that. */
function hasRun({ state, wasStopped, hostConfig }: Container): boolean {
  return state === 'exited' && !wasStopped && hostConfig.RestartPolicy?.Name === 'no';
}

/** Whether the operator knows what ran before, and may make it again. */
function isRemembered(world: World, tenant: StoredTenant): boolean {
  const { uid, generation = 0 } = tenant.metadata;
  const previous = world.ledger.ofGeneration(uid, generation - 1);
  const startedMs = world.operators[0]?.startedMs ?? 0;
  if (previous === undefined || tenant.spec.driftPolicy === 'Report') return false;
  // What may end by itself is not made again.
  const keepsRunning = expectationOf(world, previous, configOf(world)).containers.some(({ restartPolicy }) =>
    ['always', 'unless-stopped'].includes(restartPolicy),
  );
  return keepsRunning && startedMs < world.ledger.lastReadyMs(keyOfTenant(tenant));
}

/** Whether an earlier generation of it was Ready at the place where it is. */
function servedBefore(world: World, tenant: StoredTenant): boolean {
  const { uid, generation = 0 } = tenant.metadata;
  const previous = world.ledger.ofGeneration(uid, generation - 1);
  if (previous === undefined || previous.spec.suspend === true) return false;
  const { provider, containers } = expectationOf(world, previous, configOf(world));
  // What has come to its end runs no more.
  return world.ledger.wasReady(uid, generation - 1) && provider === 'docker' && !containers.every(isJob);
}

const deletedIsGone: Invariant = {
  name: 'deletedIsGone',
  promise: 'in the end, a deleted Tenant is gone',
  watch: (world, broken) => ({
    atEnd() {
      for (const tenant of lookedAfter(world))
        if (tenant.metadata.deletionTimestamp !== undefined)
          broken(`${keyOfTenant(tenant)} is still there (${readyWords(tenant)})`);
    },
  }),
};

/** Of Tenants that go, those whose workload is to stay. */
function noteKept(commit: Commit, kept: Set<string>): void {
  const key = keptBy(commit);
  if (key !== undefined) kept.add(key);
}

/** What has been told of as an orphan: what a Tenant left on purpose, and the next of that name does not take back. */
function noteTold({ message, fields }: LogLine, told: Set<string>): void {
  if (message.startsWith('orphan')) told.add(String(fields['resource']));
}

const nothingIsLeft: Invariant = {
  name: 'nothingIsLeft',
  promise: 'in the end, nothing runs that no Tenant asks for, but what was to stay',
  watch(world, broken) {
    const kept = new Set<string>();
    const told = new Set<string>();
    const leftBehind = watchLeftBehind(world);
    return {
      onCommit(commit) {
        noteKept(commit, kept);
        leftBehind.onCommit(commit);
      },
      onLog: (line) => noteTold(line, told),
      atEnd() {
        const { engine: current } = configOf(world);
        for (const engine of world.engines.values())
          for (const container of engine.containers.values()) {
            if (container.madeBy === 'person' || leftBehind.has(engine, container)) continue;
            const tenant = world.ledger.tenants.get(container.tenant);
            const isTold = tenant === undefined || told.has(`container ${container.name}`);
            if (kept.has(container.tenant) && isTold) continue;
            if (tenant?.spec.suspend === true || (tenant !== undefined && !isLookedAfter(world, tenant)))
              continue;
            const expectation =
              tenant === undefined ? undefined : expectationOf(world, tenant, configOf(world));
            if (expectation?.fault !== undefined || tenant?.status?.drift !== undefined) continue;
            if (tenant !== undefined && ownerOf(tenant, lookedAfter(world)) !== tenant) continue;
            const isWanted =
              expectation?.containers.some((wanted) => comesFrom(container, wanted)) === true &&
              engine.name === current;
            if (!isWanted)
              broken(
                `${container.name} on the engine ${engine.name} is of no Tenant's spec (${container.state})`,
              );
          }
      },
    };
  },
};

const noServiceIsLeft: Invariant = {
  name: 'noServiceIsLeft',
  promise: 'in the end, no service runs on ECS that no Tenant asks for, but what was to stay',
  watch(world, broken) {
    const kept = new Set<string>();
    const told = new Set<string>();
    return {
      onCommit: (commit) => noteKept(commit, kept),
      onLog: (line) => noteTold(line, told),
      atEnd() {
        if (!world.hasAws) return;
        for (const key of world.ledger.everSeen()) {
          const tenant = world.ledger.tenants.get(key);
          const isAskedFor =
            tenant === undefined ? kept.has(key) : providerOf(tenant) === 'ecs' || !isReady(tenant);
          const name = serviceNameOf(defaultIdOf(key));
          if (kept.has(key) && told.has(`service ${name}`)) continue;
          if (!isAskedFor && world.aws().service(name)?.status === 'ACTIVE')
            broken(`${name} runs for nobody`);
        }
      },
    };
  },
};

const nothingIsMocked: Invariant = {
  name: 'nothingIsMocked',
  promise: 'in the end, the mock provider holds nothing that no Tenant asks for, but what was to stay',
  watch: (world, broken) => {
    const kept = new Set<string>();
    return {
      onCommit: (commit) => noteKept(commit, kept),
      async atEnd() {
        for (const operator of world.operators)
          for (const key of await operator.mocked()) {
            if (kept.has(key)) continue;
            const tenant = world.ledger.tenants.get(key);
            if (
              tenant === undefined ||
              (tenant.spec.suspend !== true && providerOf(tenant) !== 'mock' && isReady(tenant))
            )
              broken(`${key} is still mocked`);
          }
      },
    };
  },
};

const letGoSaysSo: Invariant = {
  name: 'letGoSaysSo',
  promise: 'in the end, what nobody looks after is not called Ready',
  watch: (world, broken) => ({
    atEnd() {
      for (const tenant of world.ledger.tenants.values())
        if (!isLookedAfter(world, tenant) && isReady(tenant))
          broken(`${keyOfTenant(tenant)}: ${readyWords(tenant)}`);
    },
  }),
};

const suspendedShows: Invariant = {
  name: 'suspendedShows',
  promise: 'in the end, a suspended Tenant shows what runs well of it, where its status says that it is',
  watch: (world, broken) => ({
    atEnd() {
      const config = configOf(world);
      const engine = world.engineNamed(config.engine);
      for (const tenant of lookedAfter(world)) {
        if (tenant.spec.suspend !== true || tenant.metadata.deletionTimestamp !== undefined) continue;
        const prefix = `${String(tenant.status?.placement?.['labelPrefix'])}-`;
        const runs = containersOf(engine, keyOfTenant(tenant)).filter(
          (one) =>
            one.state === 'running' &&
            isSettled(one, { atMs: world.time.now() }) &&
            one.name.startsWith(prefix),
        ).length;
        const shown = tenant.status?.compute?.running ?? 0;
        if (runs > 0 && shown === 0)
          broken(`${runs} containers of ${keyOfTenant(tenant)} run, and its status shows none`);
      }
    },
  }),
};

const requestsAreEchoed: Invariant = {
  name: 'requestsAreEchoed',
  promise: 'in the end, each request to reconcile is echoed',
  watch: (world, broken) => ({
    atEnd() {
      for (const tenant of lookedAfter(world)) {
        const asked = tenant.metadata.annotations?.[reconcileRequestedAt];
        if (asked === undefined || tenant.spec.suspend === true) continue;
        if (tenant.status?.lastHandledReconcileAt !== asked)
          broken(
            `${keyOfTenant(tenant)} asks for ${asked}, echoed is ${tenant.status?.lastHandledReconcileAt ?? 'nothing'} (${readyWords(tenant)})`,
          );
      }
    },
  }),
};

const jobsAreHealthy: Invariant = {
  name: 'jobsAreHealthy',
  promise: 'in the end, a job that has come to a good end is not called ill',
  watch: (world, broken) => ({
    atEnd() {
      const engine = world.engineNamed(configOf(world).engine);
      for (const [tenant, { containers }] of running(world)) {
        if (containers.length === 0 || !containers.every(isJob)) continue;
        const there = containersOf(engine, keyOfTenant(tenant));
        const isDone = containers.every((wanted) =>
          there.some((one) => servesAt(one, wanted, { atMs: world.time.now() })),
        );
        const reason = findCondition(tenant.status?.conditions, 'Ready')?.reason;
        if (isDone && reason === 'Unhealthy') broken(`${keyOfTenant(tenant)}: ${readyWords(tenant)}`);
      }
    },
  }),
};

/** The longest time between two restarts, and a look. */
const restartedWithinMs = 6 * 60_000;

const illIsRestarted: Invariant = {
  name: 'illIsRestarted',
  promise: 'in the end, what fails its health check is restarted now and then where its Tenant asks for that',
  watch: (world, broken) => ({
    afterQuiet() {
      for (const [tenant, { containers }] of running(world)) {
        const { unhealthyPolicy, approval } = tenant.spec as SpecDraft;
        if (unhealthyPolicy !== 'Restart' || approval === 'Always' || providerOf(tenant) !== 'docker')
          continue;
        const there = containersOf(world.engineNamed(configOf(world).engine), keyOfTenant(tenant));
        const ill = there.filter(({ state, health }) => state === 'running' && health === 'unhealthy');
        const left = ill.find(
          (one) =>
            world.time.now() - one.startedMs > restartedWithinMs &&
            isStartedAgain(one) &&
            containers.some((wanted) => comesFrom(one, wanted)),
        );
        if (left !== undefined)
          broken(`${left.name} of ${keyOfTenant(tenant)} fails its health check, and runs on`);
      }
    },
  }),
};

function isStartedAgain({ hostConfig }: Container): boolean {
  return ['always', 'unless-stopped'].includes(hostConfig.RestartPolicy?.Name ?? 'no');
}

export const convergence: readonly Invariant[] = [
  whatCanRunRuns,
  whatJoinsIsInside,
  whatRunsIsReady,
  whatCannotRunSaysSo,
  othersRunOn,
  oldOneServes,
  deletedIsGone,
  nothingIsLeft,
  noServiceIsLeft,
  nothingIsMocked,
  letGoSaysSo,
  suspendedShows,
  requestsAreEchoed,
  jobsAreHealthy,
  illIsRestarted,
];
