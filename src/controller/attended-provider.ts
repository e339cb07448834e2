import { ComputeError } from '../compute/errors.ts';
import { located } from '../compute/place.ts';
import { resolvedImages } from '../compute/spec/resolved-images.ts';
import type { Change, Desired, Observation, Provider, StepResult } from '../compute/provider.ts';
import type { EnabledProvider } from '../compute/selection/enabled-providers.ts';
import { requestedAt } from './pass.ts';
import type { Pass } from './pass.ts';
import { recurred } from '../async/recurrence.ts';
import type { Pace } from '../async/recurrence.ts';
import { isLostContact, lookWhileItCounts } from './status/contact.ts';
import { isReady } from './status/ready.ts';

/** The provider as one pass calls it: looks that fail are noted, and steps that others undo again and again wait. */
export function attended(pass: Pass, enabled: EnabledProvider): EnabledProvider {
  const { provider } = enabled;
  let seen: Observation | undefined;

  const step = async (desired: Desired, take: () => Promise<StepResult>): Promise<StepResult> => {
    holdBackRecurrence(pass, desired, seen);
    pass.memory.step = 'underWay';
    const result = await take();
    if (result.outcome !== 'in_progress') pass.memory.step = undefined;
    return result;
  };

  return {
    ...enabled,
    provider: {
      name: provider.name,
      desired: (spec) => provider.desired(spec),
      async locate(placement, signal) {
        try {
          return await lookWhileItCounts(pass, signal, (inner) => located(provider, placement, inner));
        } catch (error) {
          pass.failedLook = error;
          throw error;
        }
      },
      resolveImages: async (spec, signal) => resolvedImages(provider, spec, signal),
      async validate(desired, signal) {
        try {
          await lookWhileItCounts(pass, signal, (inner) => provider.validate(desired, inner));
        } catch (error) {
          // A refused spec is an answer.
          if (isLostContact(error)) pass.failedLook = error;
          throw error;
        }
      },
      provision: (desired, permit, signal) =>
        step(desired, () => provider.provision(desired, permit, signal)),
      update: (desired, permit, signal) => step(desired, () => provider.update(desired, permit, signal)),
      hold: (desired, permit, signal) => step(desired, () => provider.hold(desired, permit, signal)),
      destroy: (at, permit, signal) => provider.destroy(at, permit, signal),
      async getStatus(at, against, how) {
        try {
          seen = await lookWhileItCounts(pass, how.signal, (signal) =>
            provider.getStatus(at, against, { ...how, signal }),
          );
        } catch (error) {
          pass.failedLook = error;
          throw error;
        }
        pass.failedLook = undefined;
        return seen;
      },
      list: (signal, domain) => provider.list(signal, domain),
      watch: (onChange, signal) => provider.watch(onChange, signal),
      close: () => provider.close(),
    } satisfies Provider,
  };
}

/**
 * Throws instead of undoing once more, and at once, what somebody else does again and again: two operators with
 * different defaults would replace each other's containers as fast as they can. A request of the user goes through.
 */
function holdBackRecurrence(pass: Pass, { specHash }: Desired, seen: Observation | undefined): void {
  const { deps, draft, memory } = pass;
  const requested = requestedAt(pass) !== draft.lastHandledReconcileAt;
  if (requested || memory.appliedHash !== specHash) return;
  const nowMs = deps.now().getTime();
  const changes = seen?.changes ?? [];
  if (memory.step !== 'held' && isUndoing(pass, changes))
    memory.undone = recurred(memory.undone, specHash, nowMs, isOfOther(changes) ? rivalPace : undefined);
  const leftMs = memory.undone?.what === specHash ? memory.undone.heldUntil - nowMs : 0;
  if (leftMs <= 0) return;
  memory.step = 'held';
  throw new ComputeError('UpdateFailed', undoneMessage(changes), { retryAfterMs: leftMs });
}

/** Whether the step undoes what somebody did to a state that was in place; a step that goes on with ours is none. */
function isUndoing({ memory, tenant }: Pass, changes: readonly Change[]): boolean {
  return isReady(tenant) || (memory.step !== 'underWay' && isOfOther(changes));
}

/**
 * What another operator makes comes again: only the first time is it undone at once, for that was perhaps its last act.
 * Then each of the two has time to bring its own about: to be undone half-way, it would only begin anew.
 */
const rivalPace: Pace = { free: 1, baseMs: 8_000 };

/** Whether it bears the mark of another desired state, which nobody but an operator makes. */
function isOfOther(changes: readonly Change[]): boolean {
  return changes.some(({ cause }) => cause === 'spec');
}

function undoneMessage([first]: readonly Change[]): string {
  const what =
    first === undefined ? 'it is gone' : `${first.path} is ${first.actual}, desired is ${first.desired}`;
  const who =
    first?.cause === 'spec'
      ? 'another writer replaces what this operator has applied (is there a second operator of this instance, with other defaults?)'
      : 'somebody changes what this operator has applied';
  return `${who}, again and again: ${what}; it is put right ever more slowly`;
}
