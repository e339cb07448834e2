import { keptPorts, portHolder } from './busy-ports.ts';
import { consented } from './end-containers.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';
import { EngineRefusal } from '../engine/engine.ts';
import type { DesiredContainer } from '../state/desired-tenant.ts';
import { fixedPorts, portText } from '../state/network/host-ports.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { isHolderDown } from './networks/joined-network.ts';
import { isOwnFault } from './own-fault.ts';
import type { Findings } from './stops/kept-findings.ts';
import type { Fault, StartOf, Step } from '../state/plan/step.ts';

export interface Taking {
  readonly step: Step;
  readonly attempt: Attempt;
  readonly findings: Findings;
}

/** Starts all that can be started, and notes why the others can't. */
export async function startContainers(
  deps: ConvergeDeps,
  { step, attempt, findings }: Taking & { readonly step: Extract<Step, { do: 'start' }> },
  signal: AbortSignal,
): Promise<void> {
  const { engine, throttle, retreats } = deps;
  const { what, containers } = step;
  // An engine that goes down stops its containers, and starts them itself when it is back. What is started in between
  // would be lost to it.
  if (containers.some(({ state }) => state === 'exited')) await engine.ping(signal);
  const kept = await keptPorts(deps, { attempt, containers }, signal);
  for (const container of containers) {
    const held = kept.get(container.id);
    if (held !== undefined) {
      findings.failed.set(container.id, faultOf(attempt, { container, what, why: held, isPort: true }));
      continue;
    }
    try {
      await throttle(() => engine.startContainer(container.id, signal));
      // It serves: who removes it from here on wants nothing else in its place.
      if (what === 'serving') retreats.forgetMade(attempt.desired.tenantId, [container]);
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (error.kind === 'gone') continue;
      if (what !== 'old' && (await isHolderDown(deps, { attempt, container }, signal))) continue;
      const refused = { container, refusal: error, what };
      if (mayBeRemade(attempt, refused) && !findings.remade.has(container.name)) {
        findings.remade.add(container.name);
        const consent = consented(attempt, 'live', 'removing');
        retreats.forgetMade(attempt.desired.tenantId, [container]);
        await engine.removeContainer(container.id, consent, signal);
      } else findings.failed.set(container.id, await refusalFault(deps, { attempt, refused }, signal));
    }
  }
}

interface RefusedStart {
  readonly container: ObservedContainer;
  readonly refusal: EngineRefusal;
  readonly what: StartOf;
}

/** Whether a new container like it, whose network is made anew as well, would start. */
function mayBeRemade({ desired }: Attempt, { container, refusal, what }: RefusedStart): boolean {
  if (what !== 'serving') return false;
  if (refusal.kind === 'broken') return true;
  const isJoined = desiredOf(desired.containers, container)?.network.kind === 'mode';
  return refusal.kind === 'missing-network' && !isJoined;
}

async function refusalFault(
  deps: ConvergeDeps,
  { attempt, refused }: { readonly attempt: Attempt; readonly refused: RefusedStart },
  signal: AbortSignal,
): Promise<Fault> {
  const { container, refusal, what } = refused;
  const isPort = refusal.kind === 'port-busy';
  const held = isPort ? await portHolder(deps, { attempt, container }, signal) : undefined;
  const hint = held === undefined ? `${portHint(attempt, refused)}${bridgeHint(refusal)}` : `: ${held}`;
  const why = `${refusal.message}${hint}`;
  return { ...faultOf(attempt, { container, what, why, isPort }), own: isOwnFault(refusal) };
}

interface FailedStart extends Pick<RefusedStart, 'container' | 'what'> {
  readonly why: string;
  /** Whether a host port of its own is in other hands. */
  readonly isPort: boolean;
}

/** No fault of its own, unless that is found besides. */
function faultOf({ desired }: Attempt, { container, what, why, isPort }: FailedStart): Fault {
  const said = `could not be started: ${why}`;
  if (what === 'successor') return { why: said, own: false, lasts: isPort };
  const wanted = what === 'old' ? undefined : desiredOf(desired.containers, container);
  return { why: `container ${wanted?.spec.name ?? container.name} ${said}`, own: false };
}

function desiredOf(
  containers: readonly DesiredContainer[],
  { name }: ObservedContainer,
): DesiredContainer | undefined {
  return containers.find(({ engineName }) => engineName === name);
}

/** What holds the port is no container: which of them it is, the engine does not say. */
function portHint({ desired }: Attempt, { container, refusal, what }: RefusedStart): string {
  const wanted = what === 'successor' ? desired.containers : [desiredOf(desired.containers, container)];
  const ports = wanted.flatMap((one) => (one === undefined ? [] : fixedPorts(one).map(portText)));
  if (refusal.kind !== 'port-busy' || what === 'old' || ports.length === 0) return '';
  return `. Something else on the host holds its host port (${ports.join(', ')}): free it, or choose another`;
}

/** The kernel's words for a bridge without a free port. A tenant's own never has so many. */
function bridgeHint({ message }: EngineRefusal): string {
  if (!/\bexchange full\b/i.test(message)) return '';
  return (
    '. A bridge takes 1,023 containers: the admin leaves compute.docker.network_name out, and each Tenant has a network of ' +
    'its own, or adds an engine'
  );
}
