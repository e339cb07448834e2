import {
  compareTenant,
  droppedName,
  isDropped,
  isNext,
  isOld,
  nextName,
  oldName,
  oldRepair,
  servingName,
} from './diff.ts';
import type { ContainerComparison, TenantComparison } from './diff.ts';
import type { DesiredContainer, DesiredTenant, LiveSettings } from './desired.ts';
import type { ObservedContainer } from './observed-container.ts';
import { prove } from './successor-health.ts';
import type { ProofContext } from './successor-health.ts';

/**
 * The next step from what is there towards what is desired, as a value. Pure: names, labels and states alone decide,
 * so that it makes no difference whether the step before was taken a moment ago or by an operator that died of it.
 *
 * A change that needs a replacement goes over all of the tenant's containers together. What can be found of it:
 * - NAME: serves, or served and stands still for its successor's sake.
 * - NAME_next: made, started or proven, in the place that NAME will have. One that can't run beside the old one (same
 *   host port, same writable volume) is started when that was stopped. Where one fails, all of them go, and the old
 *   ones run again.
 * - NAME_old: succeeded; only now it is stopped, then removed.
 * - NAME_drop: a successor that is no longer wanted, on its way out.
 */
export type Step =
  | { readonly do: 'create'; readonly containers: readonly NewContainer[] }
  | {
      readonly do: 'start';
      readonly containers: readonly ObservedContainer[];
      readonly what: StartOf;
      readonly failures?: readonly Failure[];
    }
  | { readonly do: 'unpause'; readonly container: ObservedContainer }
  | { readonly do: 'update'; readonly container: ObservedContainer; readonly live: LiveSettings }
  | {
      readonly do: 'stop';
      readonly containers: readonly ObservedContainer[];
      readonly failures?: readonly Failure[];
    }
  | { readonly do: 'remove'; readonly containers: readonly ObservedContainer[] }
  | { readonly do: 'rename'; readonly container: ObservedContainer; readonly name: string }
  | { readonly do: 'wait'; readonly message: string; readonly lookAgainAfterMs: number }
  /** Like `remove`, and with it the attempt is over: the old ones serve. */
  | { readonly do: 'give-up'; readonly containers: readonly ObservedContainer[]; readonly message: string }
  | { readonly do: 'nothing' };

/** A successor that does not do: to be told in the next look's `failed`. */
export interface Failure {
  readonly id: string;
  readonly name: string;
  readonly why: string;
}

export interface NewContainer {
  readonly desired: DesiredContainer;
  readonly name: string;
}

/** What a refusal to start means: a failed successor is rolled back, an old one is put back as well as can be. */
type StartOf = 'serving' | 'successor' | 'old';

/** A container that the engine is removing is gone soon; there is no event that would be missed. */
const removalLookMs = 500;

export interface PlanContext extends ProofContext {
  readonly prefix: string;
}

export function planStep(
  desired: DesiredTenant,
  observed: readonly ObservedContainer[],
  context: PlanContext,
): Step {
  const { prefix } = context;
  const removing = waitForRemoval(observed);
  if (removing !== undefined) return removing;
  const comparison = compareTenant(desired, observed, prefix);
  const wanted = comparison.containers.flatMap(({ next, nextMatches }) =>
    nextMatches && next ? [next] : [],
  );
  const drop = planDrop(observed, wanted, context);
  if (drop !== undefined) return drop;
  const dead = observed.filter(({ state }) => state === 'dead');
  if (dead.length > 0) return { do: 'remove', containers: dead };
  return planRollout(comparison, context) ?? planRepair(comparison, context);
}

/**
 * Gets rid of the successors of an earlier desired state, and with them of the others of this attempt. They are
 * marked by their name first: stopped on the way, they must not be taken for successors that failed.
 */
function planDrop(
  observed: readonly ObservedContainer[],
  wanted: readonly ObservedContainer[],
  { failed }: Pick<PlanContext, 'failed'>,
): Step | undefined {
  const dropped = observed.filter(({ name }) => isDropped(name));
  const successors = observed.filter(({ name }) => isNext(name));
  if (dropped.length === 0 && successors.every((next) => wanted.includes(next))) return undefined;
  const names = new Set(dropped.map(({ name }) => name));
  const next = successors.find(({ name }) => !names.has(droppedName(servingName(name))));
  if (next !== undefined) return { do: 'rename', container: next, name: droppedName(servingName(next.name)) };
  const rest = observed.filter(({ name }) => !isNext(name) && !isDropped(name));
  return planReturn(dropped, rest, { failed });
}

function waitForRemoval(observed: readonly ObservedContainer[]): Step | undefined {
  const removing = observed.find(({ state }) => state === 'removing');
  if (removing === undefined) return undefined;
  const message = `Waiting until the engine has removed the container ${removing.name}`;
  return { do: 'wait', message, lookAgainAfterMs: removalLookMs };
}

/** What was there before this desired state and is worth something: a container that never ran is not. */
function oldContainers({ containers, obsolete }: TenantComparison): readonly ObservedContainer[] {
  const replaced = containers.flatMap(({ current, currentMatches }) =>
    current === undefined || currentMatches ? [] : [current],
  );
  return [...replaced, ...obsolete];
}

function planRollout(comparison: TenantComparison, context: PlanContext): Step | undefined {
  const { containers } = comparison;
  const old = oldContainers(comparison);
  const neverRan = old.filter(({ state }) => state === 'created');
  if (neverRan.length > 0) return { do: 'remove', containers: neverRan };
  if (old.length === 0) return undefined;

  const successions = containers.filter(({ currentMatches }) => !currentMatches);
  const missing = successions.filter(({ next }) => next === undefined);
  if (missing.length > 0) {
    return {
      do: 'create',
      containers: missing.map(({ desired }) => ({ desired, name: nextName(desired.engineName) })),
    };
  }
  return planProving(comparison, { successions, old, context });
}

interface Rollout {
  readonly successions: readonly ContainerComparison[];
  readonly old: readonly ObservedContainer[];
  readonly context: PlanContext;
}

function planProving(comparison: TenantComparison, { successions, old, context }: Rollout): Step {
  const proofs = successions.flatMap(({ desired, next }) =>
    next === undefined ? [] : [{ desired, next, proof: prove(desired, next, context) }],
  );
  const failures = proofs.flatMap(({ desired, next, proof }): readonly Failure[] =>
    proof.kind === 'failed' ? [{ id: next.id, name: desired.spec.name, why: proof.why }] : [],
  );
  if (failures.length > 0) {
    const successors = proofs.map(({ next }) => next);
    const staying = comparison.containers.flatMap(({ current, currentMatches }) =>
      current !== undefined && currentMatches ? [current] : [],
    );
    return planReturn(successors, old, { failed: context.failed, failures, staying });
  }
  const idle = proofs.filter(({ proof }) => proof.kind === 'idle');
  if (idle.length > 0) {
    const inTheWay = old.filter(
      (container) => isUp(container) && idle.some(({ desired }) => excludes(desired, container)),
    );
    if (inTheWay.length > 0) return { do: 'stop', containers: inTheWay };
    return { do: 'start', containers: idle.map(({ next }) => next), what: 'successor' };
  }
  const waits = proofs.flatMap(({ proof }) => (proof.kind === 'wait' ? [proof.lookAgainAfterMs] : []));
  if (waits.length > 0) {
    const names = proofs.filter(({ proof }) => proof.kind === 'wait').map(({ desired }) => desired.spec.name);
    const message = `Waiting until the new ${names.join(', ')} is known to run well`;
    return { do: 'wait', message, lookAgainAfterMs: Math.min(...waits) };
  }
  return planSuccession(comparison, successions);
}

/** One by one: the old one gives up its name, its successor takes it. Nobody is stopped before that is done. */
function planSuccession({ obsolete }: TenantComparison, successions: readonly ContainerComparison[]): Step {
  const [first] = successions;
  if (first?.next === undefined) {
    const retired = obsolete.filter((container) => isOld(container.name));
    const [named] = obsolete;
    if (retired.length > 0 || named === undefined) return retire(retired);
    return { do: 'rename', container: named, name: oldName(named.name) };
  }
  const { current, next, desired } = first;
  if (current === undefined) return { do: 'rename', container: next, name: desired.engineName };
  const name = oldName(desired.engineName);
  const inTheWay = obsolete.filter((container) => container.name === name);
  return inTheWay.length > 0 ? retire(inTheWay) : { do: 'rename', container: current, name };
}

function retire(containers: readonly ObservedContainer[]): Step {
  const up = containers.filter(isUp);
  return up.length > 0 ? { do: 'stop', containers: up } : { do: 'remove', containers };
}

/** No old one is left: what is there is brought to serve, and what is missing is made. */
function planRepair({ containers }: TenantComparison, { failed }: PlanContext): Step {
  for (const { desired, current, next } of containers) {
    if (current === undefined && next !== undefined) {
      return { do: 'rename', container: next, name: desired.engineName };
    }
    // A desired state that was taken back in the middle of its rollout.
    if (current !== undefined && next !== undefined) return planReturn([next], [current], { failed });
  }
  const missing = containers.filter(({ current }) => current === undefined);
  if (missing.length > 0) {
    return {
      do: 'create',
      containers: missing.map(({ desired }) => ({ desired, name: desired.engineName })),
    };
  }
  for (const { current, repair, liveDiffers, desired } of containers) {
    if (current === undefined) continue;
    if (liveDiffers) return { do: 'update', container: current, live: desired.live };
    if (repair === 'unpause') return { do: 'unpause', container: current };
    if (repair === 'start') return { do: 'start', containers: [current], what: 'serving' };
  }
  return { do: 'nothing' };
}

/**
 * Keeps what there was before the newest desired state: successors go, whatever of the old ones stopped runs again.
 * Creates nothing.
 */
export function planHold(
  observed: readonly ObservedContainer[],
  { prefix, failed }: Pick<PlanContext, 'prefix' | 'failed'>,
): Step {
  const removing = waitForRemoval(observed);
  if (removing !== undefined) return removing;
  const serving = observed.filter(({ name }) => !isNext(name) && !isDropped(name));
  const successors = observed.filter(({ name }) => isNext(name));
  const names = new Set(observed.map(({ name }) => name));
  const retired = observed.filter(({ name }) => isOld(name) && names.has(servingName(name)));
  if (retired.length > 0) return retire(retired);
  // The old one is gone already: this is the one to keep.
  const [heir] = serving.length === 0 ? successors.filter(({ state }) => state !== 'created') : [];
  if (heir !== undefined) return { do: 'rename', container: heir, name: servingName(heir.name) };
  const drop = planDrop(observed, [], { failed });
  if (drop !== undefined) return drop;
  const nameless = serving.find(({ name }) => isOld(name));
  if (nameless !== undefined) return { do: 'rename', container: nameless, name: servingName(nameless.name) };
  for (const container of serving) {
    if (failed.has(container.id)) continue;
    const repair = oldRepair(container, prefix);
    if (repair === 'unpause') return { do: 'unpause', container };
    if (repair === 'start') return { do: 'start', containers: [container], what: 'old' };
  }
  return { do: 'nothing' };
}

interface Return extends Pick<PlanContext, 'failed'> {
  readonly failures?: readonly Failure[];
  /** What serves already as it should, from a rollout that did not get to its end, and keeps its name. */
  readonly staying?: readonly ObservedContainer[];
}

/**
 * Back to the old ones. What was stopped for the successors' sake is started again first, and only then are the
 * successors removed: their presence is what tells that it was stopped on purpose.
 */
function planReturn(
  successors: readonly ObservedContainer[],
  old: readonly ObservedContainer[],
  { failed, failures, staying = [] }: Return,
): Step {
  const since = Math.min(...successors.map(({ inspected }) => inspected?.createdMs ?? Infinity));
  const parked = old.filter(
    ({ id, state, inspected }) =>
      state === 'exited' && (inspected?.finishedMs ?? 0) >= since && !failed.has(id),
  );
  if (parked.length > 0) {
    const up = successors.filter(isUp);
    const told = failures === undefined ? {} : { failures };
    if (up.length > 0) return { do: 'stop', containers: up, ...told };
    return { do: 'start', containers: parked, what: 'old', ...told };
  }
  const names = new Set([...old, ...staying].map(({ name }) => name));
  // One that stands still under that name was succeeded for good.
  const nameless = old.find(
    (container) => isOld(container.name) && isUp(container) && !names.has(servingName(container.name)),
  );
  if (nameless !== undefined) return { do: 'rename', container: nameless, name: servingName(nameless.name) };
  if (failures === undefined) return { do: 'remove', containers: successors };
  const lost = old.flatMap(({ id, name }) => {
    const why = failed.get(id);
    return why === undefined ? [] : [`the old ${name} ${why}`];
  });
  const after = lost.length === 0 ? 'what ran before serves on' : lost.join('; ');
  const message = `${failures.map(({ name, why }) => `the new container ${name} ${why}`).join('; ')}. It was removed; ${after}`;
  return {
    do: 'give-up',
    containers: successors,
    message: `${message[0]?.toUpperCase()}${message.slice(1)}`,
  };
}

function isUp({ state }: ObservedContainer): boolean {
  return state === 'running' || state === 'restarting' || state === 'paused';
}

/** Whether the two can't run at the same time: they'd publish one port, or write to one volume. */
function excludes(desired: DesiredContainer, old: ObservedContainer): boolean {
  const held = old.inspected;
  if (held === undefined) return false;
  const ports = (desired.spec.ports ?? []).flatMap(({ hostPort, protocol }) =>
    hostPort === undefined ? [] : [`${hostPort}/${protocol.toLowerCase()}`],
  );
  const published = old.ports.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`);
  const volumes = desired.volumes.filter(({ readOnly }) => !readOnly).map(({ source }) => source);
  const hostNetwork = desired.network.kind === 'mode' && desired.network.name === 'host';
  return (
    ports.some((port) => held.fixedPorts.includes(port) || published.includes(port)) ||
    volumes.some((source) => held.writableMounts.includes(source)) ||
    (hostNetwork && held.networkMode === 'host')
  );
}
