import type { StepResult } from '../../../../provider.ts';
import type { Consent } from '../../../../permit.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';
import type { Step } from '../../state/plan/step.ts';
import { assertPortsFree } from '../busy-ports.ts';
import type { ConvergeDeps } from '../converge-deps.ts';
import { stopGraceSeconds } from '../../state/process/stop-grace.ts';
import { consented, stopAll, stopOne } from '../end-containers.ts';
import type { Taking } from '../start-containers.ts';

/** What makes room is waited for, for nothing runs until then. */
export async function takeStop(
  deps: ConvergeDeps,
  { step, attempt, findings }: Taking & { readonly step: Extract<Step, { do: 'stop' }> },
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { successors, containers } = step;
  await assertPortsFree(deps, { attempt, successors: successors ?? [] }, signal);
  const consent = consented(attempt, step.effect, 'stopping');
  // Noted first: while it takes its time to end, the next look must not ask for it once more.
  if (step.isRestart) for (const { id } of containers) deps.view.restarts.note(id);
  if (successors === undefined && findings.failed.size === 0) {
    const { tenantId } = attempt.desired;
    const stopping = await stopBy(deps, { tenantId, containers, consent }, signal);
    return stopping && { outcome: 'in_progress', ...stopping };
  }
  findings.hasStopped ||= successors !== undefined;
  await stopAll(deps.engine, containers, consent, signal);
  return undefined;
}

/** As `stopAll`, without waiting for those that take their time. Undefined: all have ended; else what to say meanwhile. */
export async function stopBy(
  { engine, pendingStops }: Pick<ConvergeDeps, 'engine' | 'pendingStops'>,
  { tenantId, containers, consent }: Ending,
  signal: AbortSignal,
): Promise<{ readonly message: string; readonly lookAgainAfterMs: number } | undefined> {
  const stops = new Map(
    containers.map((container) => [
      container.id,
      (closing: AbortSignal) => stopOne(engine, { container, consent }, closing),
    ]),
  );
  if (await pendingStops.stop(tenantId, stops, signal)) return undefined;
  const message = `Stopping ${containers.map(({ name }) => `container ${name}`).join(', ')}`;
  // The end of a stop is heard of before.
  const lookAgainAfterMs = (Math.max(...containers.map(stopGraceSeconds)) + 5) * 1_000;
  return { message, lookAgainAfterMs };
}

export interface Ending {
  readonly tenantId: string;
  readonly containers: readonly ObservedContainer[];
  readonly consent: Consent;
}
