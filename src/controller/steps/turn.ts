import { timestamp } from '../../api/conditions.ts';
import { approve } from '../../api/names.ts';
import { isSamePlace } from '../../compute/place.ts';
import type { Desired } from '../../compute/provider.ts';
import { keyOf } from '../../kube/client/kube-object.ts';
import { summaryOf, writeStatus } from '../conclude.ts';
import { note } from '../pass.ts';
import type { Outcome, Pass, Verdict } from '../pass.ts';
import { isHealthy, isReady } from '../status/ready.ts';
import { progressMessage } from '../status/reasons.ts';
import { summarise } from '../status/summarise.ts';
import { wasApplied } from './choose-step.ts';

/** A change that nobody made to the Tenant itself, but the operator's config or version to many, waits for its turn. */
export interface FleetTurn {
  /** Why it is not its turn; undefined: it may begin. */
  ask(): string | undefined;
  /** It does: the status says so before anything is changed, so that the next process counts it, too. */
  begin(): Promise<void>;
}

/** Undefined: it waits for nobody. `isAsked`: somebody has changed the Tenant, or asked for a reconcile of it. */
export function fleetTurn(pass: Pass, desired: Desired, isAsked: boolean): FleetTurn | undefined {
  const { deps, tenant } = pass;
  if (isAsked) note(pass, { rollout: undefined });
  const { provider } = desired.placement;
  const limits = deps.rollouts.limitsOf(provider);
  if (limits === undefined || isAsked || !wasApplied(tenant)) return undefined;
  const what = 'the operator runs something else for it now';
  const reasons = {
    go: undefined,
    full: `waits for its turn: ${what}, and updates at most ${limits.maxConcurrent} Tenants of ${provider} at once`,
    halted: `keeps what runs: ${what}, and that has failed for as many Tenants of ${provider} as may fail (${limits.maxFailures})`,
  };
  return {
    ask: () => reasons[deps.rollouts.ask(provider, keyOf(tenant))],
    async begin() {
      noteBegun(pass, desired);
      const message = progressMessage('Updating');
      const verdict = { kind: 'progressing', reason: 'Updating', message, underWay: true } as const;
      await writeStatus(pass, summarise({ ...summaryOf(pass), verdict }));
    },
  };
}

function noteBegun(pass: Pass, { specHash }: Desired): void {
  note(pass, { rollout: { specHash, state: 'Updating', since: timestamp(pass.deps.now()) } });
}

/** Why a move that the operator's config asks for waits; undefined: it does not. */
export function heldMove(pass: Pass, desired: Desired, turn: FleetTurn | undefined): string | undefined {
  const { placement, plan } = pass.draft;
  if (turn === undefined || placement === undefined || isSamePlace(placement, desired.placement))
    return undefined;
  // Another provider is a label's doing, and what was approved somebody's.
  const isApproved = plan !== undefined && plan.digest === pass.tenant.metadata.annotations?.[approve];
  if (placement.provider !== desired.placement.provider || isApproved) return undefined;
  const held = turn.ask();
  // The write that names the new place says so, too.
  if (held === undefined) noteBegun(pass, desired);
  return held;
}

/** What was looked at is as it was before, and what is to come is not there yet. */
export function whileHeld({ tenant, draft }: Pass, held: string): Outcome {
  const { compute } = draft;
  const isWell = compute !== undefined && isReady(tenant) && isHealthy(compute);
  const verdict: Verdict = isWell
    ? { kind: 'ready', message: `${compute.running}/${compute.desired} running and healthy`, held }
    : { kind: 'progressing', reason: 'Updating', message: held, underWay: true };
  return { verdict, repaired: [], lookAgainAfterMs: heldLookMs };
}

/** Who waits is woken. Where that was missed, it looks by itself, in milliseconds. */
export const heldLookMs = 300_000;
