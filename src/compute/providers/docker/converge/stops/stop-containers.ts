import { worstEffect } from '../../../../permit.ts';
import type { Consent } from '../../../../permit.ts';
import type { StepResult } from '../../../../provider.ts';
import { nextName } from '../../state/container-name.ts';
import type { DesiredContainer } from '../../state/desired-tenant.ts';
import { cutOffWith } from '../../state/network/joined-containers.ts';
import { isUp } from '../../state/observed-container.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';
import type { Step } from '../../state/plan/step.ts';
import { stopGraceSeconds } from '../../state/process/stop-grace.ts';
import { inTheWayOf } from '../../watch/places/earlier-places.ts';
import { assertPortsFree } from '../busy-ports.ts';
import type { ConvergeDeps } from '../converge-deps.ts';
import { consented, stopOne } from '../end-containers.ts';
import type { Taking } from '../start-containers.ts';
import type { Room } from './pending-stops.ts';

/** Whoever takes longer than a moment to end is not waited for: the call that comes when it has ended goes on. */
export async function takeStop(
  deps: ConvergeDeps,
  { step, attempt, findings }: Taking & { readonly step: Extract<Step, { do: 'stop' }> },
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { successors = [], containers } = step;
  // While it goes on, something was stopped.
  if (!containers.every(({ id }) => deps.pendingStops.makesRoom(id)))
    await assertPortsFree(deps, { attempt, successors, stopping: containers }, signal);
  const consent = consented(attempt, step.effect, 'stopping');
  // Noted first: while it takes its time to end, the next look must not ask for it once more.
  if (step.isRestart) for (const { id } of containers) deps.view.restarts.note(id);
  findings.hasStopped ||= step.successors !== undefined;
  const room = step.successors && { isLeft: false };
  const ended = room && startAfter(deps, { successors, room, stops: containers.length });
  const ending = { tenantId: attempt.desired.tenantId, containers, consent, room, ended };
  return cutShort(deps, { attempt, findings }, await stopBy(deps, ending, signal));
}

/**
 * To be called at the end of each stop. Where no pass waits for it, the last one starts what they made room for, whatever
 * has become of the tenant by then: nothing of it runs, and nobody may come to see to that soon (it waits in the queue, it
 * was suspended, or sent elsewhere). Why that can't be started is for the next pass to find out.
 */
function startAfter(
  { engine, throttle }: ConvergeDeps,
  { successors, room, stops }: Succession,
): (closing: AbortSignal) => Promise<void> {
  let left = stops;
  return async (closing) => {
    left -= 1;
    if (left > 0 || !room.isLeft) return;
    // By its id, which is what is known of it from then on.
    const start = async ({ engineName }: DesiredContainer): Promise<void> => {
      const made = await engine.inspectContainer(nextName(engineName), closing);
      if (made !== undefined) await engine.startContainer(made.Id, closing);
    };
    await Promise.allSettled(successors.map(async (one) => throttle(() => start(one))));
  };
}

interface Succession {
  readonly successors: readonly DesiredContainer[];
  readonly room: Room;
  readonly stops: number;
}

/**
 * Stops a container, and starts it again: here where it ends within a moment, else at its end, whoever comes by then. True: that goes
 * on, and nothing is to be made of how it stands meanwhile.
 */
export async function restartOne(
  deps: ConvergeDeps,
  { tenantId, container, consent }: Omit<Ending, 'containers'> & { readonly container: ObservedContainer },
  signal: AbortSignal,
): Promise<boolean> {
  const { engine, throttle } = deps;
  const room: Room = { isLeft: false, isRestart: true };
  const start = async (by: AbortSignal): Promise<void> =>
    throttle(() => engine.startContainer(container.id, by));
  // Why it can't be started is for the next pass to find out.
  const ended = async (closing: AbortSignal): Promise<void> => {
    if (room.isLeft) await Promise.allSettled([start(closing)]);
  };
  const ending = { tenantId, containers: [container], consent, room, ended };
  if ((await stopBy(deps, ending, signal)) !== undefined) return true;
  await start(signal);
  return false;
}

/**
 * Nothing else is done while what serves is being stopped to make room: that it stands still beside a successor is what tells
 * why it does, and whoever takes the successor away has to have seen it; nor while one is being restarted, which has not ended.
 * Undefined: nothing is.
 */
export async function whileRoomIsMade(
  deps: ConvergeDeps,
  { step, observed, ...call }: Taking & { readonly observed: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<StepResult | 'over' | undefined> {
  const { pendingStops } = deps;
  const { tenantId } = call.attempt.desired;
  const restarting = observed.filter(({ id }) => pendingStops.restarts(id));
  if (restarting.length > 0) {
    const ids = restarting.map(({ id }) => id);
    const isUpAgain = await pendingStops.restarted(tenantId, ids, signal);
    return isUpAgain ? 'over' : cutShort(deps, call, stillStopping(restarting));
  }
  const stopping = observed.filter((container) => isUp(container) && pendingStops.makesRoom(container.id));
  const isAskedFor = ({ id }: ObservedContainer): boolean =>
    step.do === 'stop' && step.containers.some((container) => container.id === id);
  if (stopping.every(isAskedFor)) return undefined;
  const ids = stopping.map(({ id }) => id);
  const isOver = await pendingStops.roomMade(tenantId, ids, signal);
  return isOver ? 'over' : cutShort(deps, call, stillStopping(stopping));
}

type Call = Omit<Taking, 'step'>;

/** The next call goes on where this one is cut short. */
export function cutShort(
  { keptFindings }: ConvergeDeps,
  { attempt, findings }: Call,
  stopping: Stopping | undefined,
): StepResult | undefined {
  if (stopping === undefined) return undefined;
  keptFindings.keep(attempt, findings, stopping.lookAgainAfterMs);
  return { outcome: 'in_progress', ...stopping };
}

/** What holds up a container that is to be started, at a place that is left. Undefined: nothing does any more. */
export async function stopEarlier(
  deps: ConvergeDeps,
  { starting, ...call }: Call & { readonly starting: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { engine, settings } = deps;
  const { desired } = call.attempt;
  const { ownership } = settings;
  const earlier = await inTheWayOf({ engine, ownership }, { desired, starting }, signal);
  if (earlier.length === 0) return undefined;
  const effect = worstEffect(earlier.map((one) => one.effect));
  const containers = earlier.map(({ container }) => container);
  const ending = {
    tenantId: desired.tenantId,
    containers,
    consent: consented(call.attempt, effect, 'stopping'),
  };
  return cutShort(deps, call, await stopBy(deps, ending, signal));
}

/** Undefined: all have ended; else what to say meanwhile: no pass waits for those that take their time. */
export async function stopBy(
  { engine, pendingStops }: Pick<ConvergeDeps, 'engine' | 'pendingStops'>,
  { tenantId, containers, consent, room, ended }: Ending,
  signal: AbortSignal,
): Promise<Stopping | undefined> {
  // What is in the network namespace of another one ends with a network.
  const joined = cutOffWith(containers, containers);
  const begun = new Map<string, Promise<void>>();
  const stops = new Map(
    [...new Set([...joined, ...containers])].map((container) => [
      container.id,
      async (closing: AbortSignal) => {
        const before = cutOffWith([container], joined).flatMap(({ id }) => begun.get(id) ?? []);
        const stopping = Promise.allSettled(before).then(async () =>
          stopOne(engine, { container, consent }, closing),
        );
        begun.set(container.id, stopping);
        await stopping;
        await ended?.(closing);
      },
    ]),
  );
  return (await pendingStops.stop(tenantId, stops, signal, room)) ? undefined : stillStopping(containers);
}

interface Stopping {
  readonly message: string;
  readonly lookAgainAfterMs: number;
}

export function stillStopping(containers: readonly ObservedContainer[]): Stopping {
  return {
    message: `Stopping ${containers.map(({ name }) => `container ${name}`).join(', ')}`,
    // The end of a stop is heard of before.
    lookAgainAfterMs: (Math.max(...containers.map(stopGraceSeconds)) + 5) * 1_000,
  };
}

export interface Ending {
  readonly tenantId: string;
  readonly containers: readonly ObservedContainer[];
  readonly consent: Consent;
  readonly room?: Room | undefined;
  /** After each of them. */
  readonly ended?: ((closing: AbortSignal) => Promise<void>) | undefined;
}
