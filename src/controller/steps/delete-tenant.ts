import type { Placement } from '../../api/status.ts';
import type { Tenant } from '../../api/tenant.ts';
import { ComputeError } from '../../compute/errors.ts';
import { permitAll } from '../../compute/permit.ts';
import { placeAt } from '../pass.ts';
import type { Pass, Verdict } from '../pass.ts';
import type { TransitionEvent } from '../status/transition-events.ts';

export interface Deletion {
  /** Why the finalizer must stay; undefined: it may go. */
  readonly verdict?: Verdict;
  readonly destroyed?: TransitionEvent;
  readonly lookAgainAfterMs?: number | undefined;
}

/** Empties every place that the tenant may be at. Never looks at the rest of the spec: it may be invalid by now. */
export async function deleteTenant(pass: Pass): Promise<Deletion> {
  const { draft, tenant } = pass;
  if (deletionPolicyOf(tenant) === 'Retain') {
    const note = 'deletionPolicy is Retain: the workload stays as it is';
    return { destroyed: { type: 'Normal', reason: 'Deleting', action: 'Retain', note } };
  }
  const placements = [...placesToEmpty(pass), ...draft.previousPlacements];
  try {
    const { left, why, lookAgainAfterMs } = await destroyPlacements(pass, placements, 'throw');
    if (left.length > 0) return { verdict: { kind: 'deleting', message: why }, lookAgainAfterMs };
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    return { verdict: { kind: 'deleting', message: `can't be deleted yet: ${error.message}`, error } };
  }
  if (placements.length === 0) return {};
  return {
    destroyed: { type: 'Normal', reason: 'Destroyed', action: 'Destroy', note: 'nothing of it is left' },
  };
}

function deletionPolicyOf({ spec }: Tenant): unknown {
  return (spec as { deletionPolicy?: unknown } | undefined)?.deletionPolicy;
}

/**
 * A durable provider's placement was written before anything was created. A provider that forgets with the process
 * has none until the first status: whatever it remembers of the tenant goes.
 */
function placesToEmpty({ deps, draft }: Pass): Placement[] {
  if (draft.placement !== undefined) return [draft.placement];
  return [...deps.providers.values()]
    .filter(({ definition }) => !definition.durable)
    .map(({ definition }) => ({ provider: definition.name }));
}

export interface Emptied {
  /** The places that still hold something. */
  readonly left: readonly Placement[];
  readonly why: string;
  readonly lookAgainAfterMs?: number | undefined;
}

/** Takes the next step of destroying at each place. With 'throw', the first failure ends it. */
export async function destroyPlacements(
  pass: Pass,
  placements: readonly Placement[],
  onFailure: 'throw' | 'keep' = 'keep',
): Promise<Emptied> {
  const left: Placement[] = [];
  const reasons: string[] = [];
  let lookAgainAfterMs: number | undefined;
  for (const placement of placements) {
    try {
      const result = await destroyAt(pass, placement);
      if (result.outcome === 'gone') continue;
      left.push(placement);
      reasons.push(result.message);
      if (result.lookAgainAfterMs !== undefined) {
        lookAgainAfterMs = Math.min(lookAgainAfterMs ?? Infinity, result.lookAgainAfterMs);
      }
    } catch (error) {
      if (!(error instanceof ComputeError) || onFailure === 'throw') throw error;
      left.push(placement);
      reasons.push(error.message);
    }
  }
  return { left, why: `removing what is left on ${namesOf(left)}: ${reasons.join('; ')}`, lookAgainAfterMs };
}

async function destroyAt(pass: Pass, placement: Placement) {
  const enabled = pass.deps.providers.get(placement.provider);
  if (enabled === undefined) {
    throw new ComputeError(
      'ProviderNotFound',
      `provider "${placement.provider}" is not enabled on this operator, and what it made is still there: ` +
        `add compute.${placement.provider} to the operator's config, or set spec.deletionPolicy to Retain to leave it`,
    );
  }
  return enabled.provider.destroy(placeAt(pass, placement), permitAll, pass.signal);
}

function namesOf(placements: readonly Placement[]): string {
  return [...new Set(placements.map(({ provider }) => provider))].join(', ');
}
