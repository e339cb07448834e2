import type { Effect } from '../../../../api/status.ts';
import { ComputeError } from '../../../errors.ts';
import { consentTo } from '../../../permit.ts';
import type { Consent } from '../../../permit.ts';
import type { StepResult } from '../../../provider.ts';
import { assertPortsFree } from './busy-ports.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';
import { liveUpdateBody } from './create-body.ts';
import { createContainers } from './create-containers.ts';
import { EngineRefusal } from '../engine/engine.ts';
import type { Engine, RefusalKind } from '../engine/engine.ts';
import { tenantNetworks } from './tenant-networks.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { servingName } from '../state/container-name.ts';
import { describeLive, liveDifferences } from '../state/live-settings.ts';
import { assertBelongsTo, ownershipConflict } from '../state/ownership-conflict.ts';
import { planHold } from '../state/plan/plan-hold.ts';
import { planStep } from '../state/plan/plan-step.ts';
import type { Step } from '../state/plan/step.ts';
import { inTheWayOf } from '../watch/earlier-places.ts';
import { redact } from './redact.ts';

/** Carries out the plan: look, plan, take one step, look again, until there is nothing left to do or to wait for. */

/** What a container is given to end by itself, in seconds: the engine's own default. */
export const stopGraceSeconds = 10;

/** A rollout takes about ten steps and a few for each container; what takes more goes round in circles. */
const maxSteps = 40;
const maxStepsPerContainer = 8;

/** Containers, by id, of which this call has found that they don't do, and why. */
type Failed = Map<string, string>;

/** The live settings that this call has given to containers, by their ids; see `describeLive`. */
type Given = Map<string, string>;

/** The containers that this call has seen, by their serving names: one that had to be removed leaves its volumes. */
type LastSeen = Map<string, ObservedContainer>;

/** Rejects with ComputeError alone. */
export async function convergeTenant(
  deps: ConvergeDeps,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<StepResult> {
  const { secrets } = attempt.desired;
  try {
    const result = await stepOn(deps, attempt, signal);
    return { ...result, message: redact(result.message, secrets) };
  } catch (error) {
    if (error instanceof EngineRefusal) {
      throw new ComputeError(attempt.failure, redact(error.message, secrets), { cause: error });
    }
    throw error;
  } finally {
    // Whatever was done or tried: what is known of the tenant is stale.
    deps.view.snapshot.touch(attempt.desired.tenantId);
  }
}

async function stepOn(deps: ConvergeDeps, attempt: Attempt, signal: AbortSignal): Promise<StepResult> {
  const { view, settings } = deps;
  const { desired, hold } = attempt;
  const failed: Failed = new Map();
  const given: Given = new Map();
  const lastSeen: LastSeen = new Map();
  const steps = maxSteps + maxStepsPerContainer * desired.containers.length;
  for (let step = 0; step < steps; step += 1) {
    const observed = await view.fresh(desired.tenantId, signal);
    assertBelongsTo(observed, desired, settings.ownership);
    for (const container of observed) lastSeen.set(servingName(container.name), container);
    const context = { clock: deps.clock(), failed };
    const next = hold ? planHold(observed, context) : planStep(desired, observed, context);
    if (next.do === 'update' && given.get(next.container.id) === describeLive(next.live)) {
      leaveUnkept(deps, next);
      continue;
    }
    const result = await take(deps, { step: next, attempt, failed, given, lastSeen }, signal);
    if (result !== undefined) return result;
  }
  throw new ComputeError(attempt.failure, `The containers of ${desired.tenantId} do not come to rest`);
}

interface Taking {
  readonly step: Step;
  readonly attempt: Attempt;
  readonly failed: Failed;
  readonly given: Given;
  readonly lastSeen: LastSeen;
}

/** Takes one step. Undefined: look again; otherwise the call is over. */
async function take(
  deps: ConvergeDeps,
  { step, attempt, failed, given, lastSeen }: Taking,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { engine } = deps;
  if ('failures' in step) for (const { id, why } of step.failures ?? []) failed.set(id, why);
  switch (step.do) {
    case 'create': {
      const creation = {
        attempt,
        containers: step.containers.map((container) => ({
          ...container,
          predecessor: container.predecessor ?? lastSeen.get(container.desired.engineName),
        })),
        keepOld: () => keepOld(deps, attempt, signal),
      };
      return createContainers(deps, creation, signal);
    }
    case 'wait':
      return { outcome: 'in_progress', message: step.message, lookAgainAfterMs: step.lookAgainAfterMs };
    case 'give-up':
      await removeAll(engine, step.containers, consented(attempt, 'live', 'removing'), signal);
      return { outcome: 'rolled_back', reason: 'RolledBack', message: step.message };
    case 'nothing':
      return finish(deps, { attempt, failed }, signal);
    case 'start':
      await stopEarlier(deps, { attempt, starting: step.containers }, signal);
      await start(deps, { step, attempt, failed, given, lastSeen }, signal);
      break;
    case 'rename':
      await rename(deps, step, signal);
      break;
    case 'stop':
      await assertPortsFree(deps, { attempt, successors: step.successors ?? [] }, signal);
      await stopAll(engine, step.containers, consented(attempt, step.effect, 'stopping'), signal);
      break;
    case 'remove':
      await removeAll(engine, step.containers, consented(attempt, step.effect, 'removing'), signal);
      break;
    case 'unpause':
      await unlessGone(engine.unpauseContainer(step.container.id, signal));
      break;
    case 'update':
      given.set(step.container.id, describeLive(step.live));
      await unlessGone(engine.updateContainer(step.container.id, liveUpdateBody(step.live), signal));
      deps.view.live.noteApplied(step.container.id, step.live);
      break;
  }
  return undefined;
}

/** An engine without a cgroup controller takes a limit and drops it, with success: to give it again helps nobody. */
function leaveUnkept(
  { view, logger }: ConvergeDeps,
  { container, live }: Extract<Step, { do: 'update' }>,
): void {
  const lost = liveDifferences(live, container.inspected?.live ?? live).map(({ path }) => path);
  if (!view.live.noteUnkept(container, live)) return;
  logger.warn({ container: container.name, settings: lost }, 'the engine does not keep these settings');
}

/** Sees to what ran before. That it can't be started is no news where the new one is the subject. */
async function keepOld(deps: ConvergeDeps, attempt: Attempt, signal: AbortSignal): Promise<void> {
  try {
    await stepOn(deps, { ...attempt, hold: true }, signal);
  } catch (error) {
    if (!(error instanceof ComputeError) || error.code !== attempt.failure) throw error;
  }
}

async function start(
  { engine, throttle }: ConvergeDeps,
  { step, attempt, failed }: Taking & { readonly step: Extract<Step, { do: 'start' }> },
  signal: AbortSignal,
): Promise<void> {
  const failures: ComputeError[] = [];
  for (const container of step.containers) {
    try {
      await throttle(() => engine.startContainer(container.id, signal));
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (error.kind === 'gone') continue;
      const isReplaceable = step.what === 'serving' && error.kind === 'missing-network';
      // Its network was removed while it stood still: made anew, it joins one that is made anew as well.
      if (isReplaceable && !isJoined(attempt, container)) {
        await engine.removeContainer(container.id, consented(attempt, 'live', 'removing'), signal);
      } else if (step.what === 'serving') failures.push(startFailure(attempt, container, error));
      else failed.set(container.id, `could not be started: ${error.message}`);
    }
  }
  if (failures[0] !== undefined) throw failures[0];
}

function isJoined({ desired }: Attempt, { name }: ObservedContainer): boolean {
  return desired.containers.find(({ engineName }) => engineName === name)?.network.kind === 'mode';
}

function startFailure(
  { desired, failure }: Attempt,
  { name }: ObservedContainer,
  refusal: EngineRefusal,
): ComputeError {
  const container = desired.containers.find(({ engineName }) => engineName === name);
  const ports = (container?.spec.ports ?? []).flatMap(({ hostPort, protocol }) =>
    hostPort === undefined ? [] : [`${hostPort}/${protocol.toLowerCase()}`],
  );
  const hint =
    refusal.kind === 'port-busy' && ports.length > 0
      ? `. Something else on the host holds its host port (${ports.join(', ')}): free it, or choose another`
      : '';
  const message = `container ${container?.spec.name ?? name} could not be started: ${refusal.message}${hint}`;
  return new ComputeError(failure, redact(message, desired.secrets), { cause: refusal });
}

async function rename(
  { engine, settings }: ConvergeDeps,
  { container, name }: Extract<Step, { do: 'rename' }>,
  signal: AbortSignal,
): Promise<void> {
  const answer = await unlessGone(engine.renameContainer(container.id, name, signal));
  if (answer !== 'name-taken') return;
  // By something that no list of ours shows.
  const holder = await engine.inspectContainer(name, signal);
  throw ownershipConflict(name, holder?.Config.Labels, settings.ownership);
}

async function finish(
  { engine, settings: { ownership } }: ConvergeDeps,
  { attempt, failed }: Pick<Taking, 'attempt' | 'failed'>,
  signal: AbortSignal,
): Promise<StepResult> {
  const { desired, hold, failure } = attempt;
  const [reason] = failed.values();
  if (reason !== undefined) {
    throw new ComputeError(failure, `A container ${reason}`);
  }
  if (hold) return { outcome: 'done', message: 'What ran before is kept running' };
  if (!desired.containers.some(({ network }) => network.kind === 'private')) {
    // Left by the time when the tenant had several containers. One that others use is destroy's to complain of.
    for (const { Id } of await tenantNetworks(engine, { ownership, tenant: desired }, signal)) {
      await unlessKind('in-use', engine.removeNetwork(Id, consented(attempt, 'live', 'removing'), signal));
    }
  }
  return { outcome: 'done', message: 'Every container is as desired' };
}

function consented({ permit, desired }: Attempt, effect: Effect, what: string): Consent {
  return consentTo(permit, effect, `${what} containers of ${desired.tenantId}`);
}

/** What holds up a container that is to be started, at a place that is left. */
async function stopEarlier(
  { engine, settings: { ownership } }: ConvergeDeps,
  { attempt, starting }: { readonly attempt: Attempt; readonly starting: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<void> {
  const { desired } = attempt;
  const earlier = await inTheWayOf({ engine, ownership }, { desired, starting }, signal);
  if (earlier.length > 0) await stopAll(engine, earlier, consented(attempt, 'outage', 'stopping'), signal);
}

export async function stopAll(
  engine: Engine,
  containers: readonly ObservedContainer[],
  consent: Consent,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(containers.map(({ id }) => engine.stopContainer(id, stopGraceSeconds, consent, signal)));
}

export async function removeAll(
  engine: Engine,
  containers: readonly ObservedContainer[],
  consent: Consent,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(containers.map(({ id }) => engine.removeContainer(id, consent, signal)));
}

/** A container that went away meanwhile is seen to by the next look. */
function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  return unlessKind('gone', call);
}

async function unlessKind<T>(kind: RefusalKind, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof EngineRefusal && error.kind === kind) return undefined;
    throw error;
  }
}
