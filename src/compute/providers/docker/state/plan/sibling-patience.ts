import { containerHealth } from '../container-health.ts';
import type { Clock } from '../container-health.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import type { ObservedContainer } from '../observed-container.ts';
import type { HeldUp } from './start-order.ts';
import type { SuccessorContext, SuccessorHealth } from './successor-health.ts';

export interface Successor {
  readonly desired: DesiredContainer;
  readonly next: ObservedContainer;
  readonly health: SuccessorHealth;
}

/**
 * Settling times that siblings must have run before one that does not run well has failed: a database answers a while after its
 * container runs, and what waits for it exits and is restarted meanwhile. At 3 s, a minute.
 */
const patience = 20;

/** Whatever becomes of it, an event tells; this is for one that is lost. */
const lostEventMs = 10_000;

/**
 * What ails has failed where it is alone, or where all that it may need has run for long enough; until then it is
 * waited for, as it is at creation. Beside one that stays as it is and is ill itself, it is none the worse for it.
 */
export function withPatience(
  successors: readonly Successor[],
  staying: readonly ObservedContainer[],
  context: SuccessorContext & { readonly heldUp?: HeldUp },
): readonly Successor[] {
  const { clock, heldUp = new Map() } = context;
  const ill = staying.filter((sibling) => isIll(sibling, context)).map(({ made }) => made.container ?? '');
  return successors.map((successor) => {
    const { health, next } = successor;
    if (health.kind !== 'ailing') return successor;
    if (ill.length > 0) {
      const why = `${health.why} while ${ill.join(', ')} did not run well`;
      return { ...successor, health: { kind: 'failed', why, own: false } };
    }
    const others = successors.filter((other) => other.next !== next);
    // One that has not even been started has had no chance to be of use, unless it waits for others itself.
    const isComing = others.some(
      (other) =>
        other.health.kind === 'wait' ||
        (other.health.kind === 'idle' && !heldUp.has(other.desired.spec.name)),
    );
    const leftMs = Math.max(
      ...[...staying, ...others.map((other) => other.next)].map((sibling) => patienceMs(sibling, clock)),
      0,
    );
    const { why, lookAgainAfterMs } = health;
    if (!isComing && leftMs === 0 && !isUpAgain(next, clock))
      return { ...successor, health: { kind: 'failed', why, own: true } };
    const waitMs = Math.max(lookAgainAfterMs, Math.min(leftMs, lostEventMs));
    return { ...successor, health: { kind: 'wait', lookAgainAfterMs: waitMs } };
  });
}

/** It may have found at last what it needed; if not, it ends again, and that is looked at. */
function isUpAgain({ state, health, inspected }: ObservedContainer, { nowMs, settleMs }: Clock): boolean {
  if (state !== 'running' || inspected === undefined) return false;
  return (health === 'none' || health === 'healthy') && nowMs - inspected.startedMs >= settleMs;
}

/** Whether it does not run as it should, and has not come to its own end. */
function isIll(sibling: ObservedContainer, { clock, failed }: SuccessorContext): boolean {
  if (failed.has(sibling.id)) return true;
  return sibling.state !== 'exited' && containerHealth(sibling, clock).health === 'unhealthy';
}

/** For how much longer what may need this container is waited for. */
function patienceMs({ inspected }: ObservedContainer, { nowMs, settleMs }: Clock): number {
  if (inspected === undefined) return 0;
  // One that was restarted itself is counted from when it was made, or two that wait for each other would wait for ever.
  const runsSinceMs = inspected.restartCount === 0 ? inspected.startedMs : inspected.createdMs;
  return runsSinceMs + settleMs * patience - nowMs;
}
