import { ComputeError, withMessage } from '../../../errors.ts';
import { redact } from '../../../observation/redact.ts';
import type { StepResult } from '../../../provider.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';
import { liveUpdateBody } from './create-body.ts';
import { discreetEngine } from './engines/discreet-engine.ts';
import { notingEngine } from './engines/noting-engine.ts';
import { renameContainer } from './foreign/rename-container.ts';
import { createContainers } from './create-containers.ts';
import { consented, removeAll, retire } from './end-containers.ts';
import { removeUnwantedFiles } from './files/remove-files.ts';
import { stopEarlier, takeStop, whileRoomIsMade } from './stops/stop-containers.ts';
import { joinNetwork } from './join-network.ts';
import { EngineRefusal, unlessKind } from '../engine/engine.ts';
import { removeUnwantedNetworks } from './tenant-networks.ts';
import type { DesiredTenant } from '../state/desired-tenant.ts';
import { describeLive, liveDifferences } from '../state/live-settings.ts';
import { nextStep, secretsOf } from './next-step.ts';
import { startContainers } from './start-containers.ts';
import type { Taking } from './start-containers.ts';
import { isDropped, isOld } from '../state/container-name.ts';
import type { Step } from '../state/plan/step.ts';

/** Carries out the plan: look, plan, take one step, look again, until there is nothing left to do or to wait for. */

/** A rollout takes about ten steps and a few for each container; what takes more goes round in circles. */
const maxSteps = 40;
const maxStepsPerContainer = 8;

/** Rejects with ComputeError alone. */
export async function convergeTenant(
  deps: ConvergeDeps,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<StepResult> {
  const secrets = secretsOf(deps, attempt);
  const { snapshot } = deps.view;
  const { tenantId } = attempt.desired;
  const engine = notingEngine(discreetEngine(deps.engine, secrets), snapshot, tenantId);
  const discreet = { ...deps, engine };
  try {
    const run = attempt.hold ? stepOn : tryOn;
    const result = await run(discreet, attempt, signal);
    return { ...result, message: redact(result.message, secrets) };
  } catch (error) {
    snapshot.touch(tenantId);
    if (error instanceof EngineRefusal)
      throw new ComputeError(attempt.failure, redact(error.message, secrets), { cause: error });
    throw error instanceof ComputeError ? withMessage(error, redact(error.message, secrets)) : error;
  }
}

/** An attempt that was taken back is not made again before its time; what ran before is kept running until then. */
async function tryOn(deps: ConvergeDeps, attempt: Attempt, signal: AbortSignal): Promise<StepResult> {
  const { retreats } = deps;
  const { desired, failure } = attempt;
  const retreat = retreats.pending(desired);
  if (retreat !== undefined) {
    await keepOld(deps, attempt, signal);
    throw new ComputeError(failure, retreat.message, { retryAfterMs: retreat.waitMs });
  }
  const result = await stepOn(deps, attempt, signal);
  if (result.outcome !== 'in_progress') retreats.forget(desired.tenantId);
  return result;
}

async function stepOn(deps: ConvergeDeps, attempt: Attempt, signal: AbortSignal): Promise<StepResult> {
  const { desired } = attempt;
  const findings = deps.keptFindings.resume(attempt);
  const most = () =>
    maxSteps + maxStepsPerContainer * Math.max(desired.containers.length, findings.lastSeen.size);
  for (let step = 0; step < most(); step += 1) {
    const { next, observed } = await nextStep(deps, { attempt, findings }, signal);
    if (next.do === 'update' && findings.given.get(next.container.id) === describeLive(next.live)) {
      leaveUnkept(deps, next);
      continue;
    }
    const taking = { step: next, attempt, findings };
    const result =
      (await whileRoomIsMade(deps, { ...taking, observed }, signal)) ?? (await take(deps, taking, signal));
    if (result !== undefined && result !== 'over') return result;
  }
  throw new ComputeError(attempt.failure, `The containers of ${desired.tenantId} do not come to rest`);
}

/** To hold is to make what was there before; where it goes and what goes with that is as it is now. */
function desiredToMake({ inPlace }: ConvergeDeps, { desired, hold }: Attempt): DesiredTenant {
  const before = hold ? inPlace.before(desired) : undefined;
  if (before === undefined) return desired;
  const { specHash, containers, imagePullCredentials, secrets } = before;
  return { ...desired, specHash, containers, imagePullCredentials, secrets };
}

/** Takes one step. Undefined: look again; otherwise the call is over. */
async function take(
  deps: ConvergeDeps,
  { step, attempt, findings }: Taking,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { engine } = deps;
  if ('failures' in step) for (const { id, ...fault } of step.failures ?? []) findings.failed.set(id, fault);
  switch (step.do) {
    case 'create':
      return create(deps, { step, attempt, findings }, signal);
    case 'wait':
      return { outcome: 'in_progress', message: step.message, lookAgainAfterMs: step.lookAgainAfterMs };
    case 'give-up':
      deps.retreats.forgetMade(attempt.desired.tenantId, step.containers);
      await removeAll(engine, step.containers, consented(attempt, 'live', 'removing'), signal);
      if (step.forGood) return { outcome: 'rolled_back', reason: 'RolledBack', message: step.message };
      throw retreat(deps, { step, attempt, findings });
    case 'fail':
      throw new ComputeError(attempt.failure, step.message);
    case 'nothing':
      return finish(deps, { attempt, findings }, signal);
    case 'start':
      return start(deps, { step, attempt, findings }, signal);
    case 'rename':
      deps.retreats.forgetMade(attempt.desired.tenantId, [step.container]);
      await renameContainer(deps, { step, attempt }, signal);
      break;
    case 'stop':
      return takeStop(deps, { step, attempt, findings }, signal);
    case 'remove':
      // One that is dropped by its name was so by whoever gave it that.
      deps.retreats.forgetMade(
        attempt.desired.tenantId,
        step.containers.filter(({ name }) => !isDropped(name)),
      );
      await retire(deps, { step, attempt }, signal);
      // That what has been succeeded could not be started any more is nobody's trouble once it is gone.
      for (const { id, name } of step.containers) if (isOld(name)) findings.failed.delete(id);
      break;
    case 'join':
      return joinNetwork(deps, { step, attempt, findings }, signal);
    case 'unpause':
      await unlessGone(engine.unpauseContainer(step.container.id, signal));
      break;
    case 'update':
      await applyLive(deps, { step, attempt, findings }, signal);
      break;
  }
  return undefined;
}

async function start(
  deps: ConvergeDeps,
  { step, ...call }: Taking & { readonly step: Extract<Step, { do: 'start' }> },
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const stopping = await stopEarlier(deps, { ...call, starting: step.containers }, signal);
  if (stopping === undefined) await startContainers(deps, { step, ...call }, signal);
  return stopping;
}

async function create(
  deps: ConvergeDeps,
  { step, attempt, findings }: Taking & { readonly step: Extract<Step, { do: 'create' }> },
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const creation = {
    attempt: { ...attempt, desired: desiredToMake(deps, attempt) },
    containers: step.containers.map((container) => ({
      ...container,
      predecessor: container.predecessor ?? findings.lastSeen.get(container.desired.engineName),
    })),
    failed: findings.failed,
    made: findings.made,
    seen: [...findings.lastSeen.values()],
    ownImages: findings.seenImages,
    keepOld: () => keepOld(deps, attempt, signal),
  };
  return createContainers(deps, creation, signal);
}

/** What failed for reasons of the engine, the host or somebody's hand is tried again, later each time. */
function retreat(
  deps: ConvergeDeps,
  { step, attempt, findings }: Taking & { readonly step: Extract<Step, { do: 'give-up' }> },
): ComputeError {
  const { desired, failure } = attempt;
  const { failed, hasStopped } = findings;
  const removed = new Set(step.containers.map(({ id }) => id));
  const lost = [...failed].flatMap(([id, { why }]) => (removed.has(id) ? [] : [`; ${why}`]));
  const message = redact(`${step.message}, and is tried again${lost.join('')}`, secretsOf(deps, attempt));
  const isGap = hasStopped && [...failed.values()].some(({ lasts }) => lasts === true);
  const waitMs = deps.retreats.note(desired, message, isGap ? 'gap' : undefined);
  return new ComputeError(failure, message, { retryAfterMs: waitMs });
}

async function applyLive(
  { engine, view }: ConvergeDeps,
  { step: { container, live }, findings }: Taking & { readonly step: Extract<Step, { do: 'update' }> },
  signal: AbortSignal,
): Promise<void> {
  findings.given.set(container.id, describeLive(live));
  await unlessGone(engine.updateContainer(container.id, liveUpdateBody(live), signal));
  view.live.noteApplied(container.id, live);
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

async function finish(
  deps: ConvergeDeps,
  { attempt, findings: { failed, remade, lastSeen } }: Pick<Taking, 'attempt' | 'findings'>,
  signal: AbortSignal,
): Promise<StepResult> {
  const { engine, retreats, settings } = deps;
  const { ownership } = settings;
  const { desired, hold, failure } = attempt;
  const reasons = [...failed.values()].map(({ why }) => why);
  if (reasons.length > 0) {
    const message = redact(reasons.join('; '), secretsOf(deps, attempt));
    // That containers were made anew wakes the tenant at once.
    const again = remade.size > 0 && !hold ? { retryAfterMs: retreats.note(desired, message) } : {};
    throw new ComputeError(failure, message, again);
  }
  if (hold) return { outcome: 'done', message: 'What ran before is kept running' };
  const owned = { ownership, tenant: desired };
  const consent = consented(attempt, 'live', 'removing');
  await removeUnwantedFiles(engine, { ...owned, desired, consent }, signal);
  await removeUnwantedNetworks(engine, { ...owned, desired, seen: [...lastSeen.values()], consent }, signal);
  return { outcome: 'done', message: 'Every container is as desired' };
}

/** A container that went away meanwhile is seen to by the next look. */
function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  return unlessKind('gone', call);
}
