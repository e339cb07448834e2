import { tellable } from '../watch/tellable.ts';
import { isCompleted } from '../state/container-end.ts';
import { isNext, servingName } from '../state/container-name.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { assertBelongsTo } from '../state/ownership-conflict.ts';
import { planHold } from '../state/plan/plan-hold.ts';
import { planStep } from '../state/plan/plan-step.ts';
import type { Step } from '../state/plan/step.ts';
import { isRelease } from '../state/release/release-mark.ts';
import { foreignBeside } from './foreign/foreign-beside.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';
import type { Taking } from './start-containers.ts';

/** What is to be done next, and by what evidence. */

/** What is made of what ran before has secrets of its own. */
export function secretsOf({ inPlace }: ConvergeDeps, { desired }: Attempt): readonly string[] {
  return [...desired.secrets, ...(inPlace.before(desired)?.secrets ?? [])];
}

/** These take nothing from anybody, and what they find otherwise than it was known they find out themselves. */
const harmless: ReadonlySet<Step['do']> = new Set(['create', 'start', 'wait', 'nothing']);

interface Planned {
  readonly next: Step;
  /** What it follows from. */
  readonly observed: readonly ObservedContainer[];
}

/** From what is known, as long as that takes nothing from anybody; else from what the engine says of each container now. */
export async function nextStep(
  deps: ConvergeDeps,
  taking: Pick<Taking, 'attempt' | 'findings'>,
  signal: AbortSignal,
): Promise<Planned> {
  const { tenantId } = taking.attempt.desired;
  const made = [...taking.findings.made.values()];
  taking.findings.made.clear();
  const { containers, isFresh } = await deps.view.lately(tenantId, made, signal);
  const lately = await planned(deps, { ...taking, seen: containers }, signal);
  if (isFresh || harmless.has(lately.next.do)) return lately;
  return planned(deps, { ...taking, seen: await deps.view.fresh(tenantId, signal) }, signal);
}

async function planned(
  deps: ConvergeDeps,
  {
    seen,
    attempt,
    findings,
  }: Pick<Taking, 'attempt' | 'findings'> & { readonly seen: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<Planned> {
  const { desired, hold } = attempt;
  const before = deps.inPlace.before(desired);
  const secrets = secretsOf(deps, attempt);
  assertBelongsTo(seen, desired, deps.settings.ownership);
  const all = [...seen, ...(await foreignBeside(deps, attempt, seen, signal))];
  const observed = all.map((container) => tellable(container, secrets));
  for (const container of observed) {
    findings.seenImages.add(container.imageId);
    // Of what is only known to be made, nobody has seen the volumes.
    if (container.inspected !== undefined) findings.lastSeen.set(servingName(container.name), container);
  }
  const engineStartedMs = await engineStart(deps, observed, signal);
  const context = { clock: deps.clock(), engineStartedMs, failed: findings.failed };
  const next = hold ? planHold(observed, context, { before, desired }) : planStep(desired, observed, context);
  return { next, observed };
}

/** Asked only where it matters: how long ago it was says what the end of a container means. */
async function engineStart(
  { engine }: ConvergeDeps,
  observed: readonly ObservedContainer[],
  signal: AbortSignal,
): Promise<number> {
  const ended = observed.some(
    (container) =>
      (isNext(container.name) || isRelease(container)) &&
      (container.state === 'exited' || container.state === 'dead') &&
      !(isRelease(container) && isCompleted(container)),
  );
  return ended ? engine.startedMs(signal) : 0;
}
