import { consented } from './end-containers.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';
import { EngineRefusal } from '../engine/engine.ts';
import type { DesiredContainer } from '../state/desired-tenant.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { isOwnFault } from './own-fault.ts';
import type { Fault, StartOf, Step } from '../state/plan/step.ts';

/** What one call has found out, and would do again without end if it forgot it. */
export interface Findings {
  /** Why containers don't do: by id, and by name those that can't be made. */
  readonly failed: Map<string, Fault>;
  /** Names of containers that were removed because they could not be started. */
  readonly remade: Set<string>;
  /** Whether what serves was stopped for the sake of a successor. */
  hasStopped: boolean;
  /** The live settings that were given to containers, by their ids; see `describeLive`. */
  readonly given: Map<string, string>;
  /** Containers that were seen, by their serving names: one that had to be removed leaves its volumes. */
  readonly lastSeen: Map<string, ObservedContainer>;
}

export interface Taking {
  readonly step: Step;
  readonly attempt: Attempt;
  readonly findings: Findings;
}

interface RefusedStart {
  readonly container: ObservedContainer;
  readonly refusal: EngineRefusal;
  readonly what: StartOf;
}

/** Starts all that can be started, and notes why the others can't. */
export async function startContainers(
  { engine, throttle, retreats }: ConvergeDeps,
  { step, attempt, findings }: Taking & { readonly step: Extract<Step, { do: 'start' }> },
  signal: AbortSignal,
): Promise<void> {
  const { what, containers } = step;
  // An engine that goes down stops its containers, and starts them itself when it is back. What is started in between
  // would be lost to it.
  if (containers.some(({ state }) => state === 'exited')) await engine.ping(signal);
  for (const container of containers) {
    try {
      await throttle(() => engine.startContainer(container.id, signal));
      // It serves: who removes it from here on wants nothing else in its place.
      if (what === 'serving') retreats.forgetMade(attempt.desired.tenantId, [container]);
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (error.kind === 'gone') continue;
      const refused = { container, refusal: error, what };
      if (mayBeRemade(attempt, refused) && !findings.remade.has(container.name)) {
        findings.remade.add(container.name);
        const consent = consented(attempt, 'live', 'removing');
        retreats.forgetMade(attempt.desired.tenantId, [container]);
        await engine.removeContainer(container.id, consent, signal);
      } else findings.failed.set(container.id, faultOf(attempt, refused));
    }
  }
}

/** Whether a new container like it, whose network is made anew as well, would start. */
function mayBeRemade({ desired }: Attempt, { container, refusal, what }: RefusedStart): boolean {
  if (what !== 'serving') return false;
  if (refusal.kind === 'broken') return true;
  const isJoined = desiredOf(desired.containers, container)?.network.kind === 'mode';
  return refusal.kind === 'missing-network' && !isJoined;
}

function faultOf({ desired }: Attempt, { container, refusal, what }: RefusedStart): Fault {
  const own = isOwnFault(refusal);
  const why = `could not be started: ${refusal.message}`;
  if (what === 'successor')
    return {
      why: `${why}${portHint(desired.containers, refusal)}`,
      own,
      lasts: refusal.kind === 'port-busy',
    };
  if (what === 'old') return { why: `container ${container.name} ${why}`, own };
  const wanted = desiredOf(desired.containers, container);
  const hint = wanted === undefined ? '' : portHint([wanted], refusal);
  return { why: `container ${wanted?.spec.name ?? container.name} ${why}${hint}`, own };
}

function desiredOf(
  containers: readonly DesiredContainer[],
  { name }: ObservedContainer,
): DesiredContainer | undefined {
  return containers.find(({ engineName }) => engineName === name);
}

function portHint(containers: readonly DesiredContainer[], { kind }: EngineRefusal): string {
  const ports = containers.flatMap(({ spec }) =>
    (spec.ports ?? []).flatMap(({ hostPort, protocol }) =>
      hostPort === undefined ? [] : [`${hostPort}/${protocol.toLowerCase()}`],
    ),
  );
  return kind === 'port-busy' && ports.length > 0
    ? `. Something else on the host holds its host port (${ports.join(', ')}): free it, or choose another`
    : '';
}
