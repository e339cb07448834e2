import { abandon } from '../../api/names.ts';
import { timestamp } from '../../api/conditions.ts';
import type { Placement } from '../../api/status.ts';
import { isOnlyObserved } from '../../api/tenant.ts';
import type { Tenant } from '../../api/tenant.ts';
import { ComputeError } from '../../compute/errors.ts';
import type { ErrorCode } from '../../compute/errors.ts';
import type { Permit } from '../../compute/permit.ts';
import { distinctPlaces, isSamePlace, placeText } from '../../compute/place.ts';
import { unknownLabels } from '../../compute/policy-by-namespace.ts';
import type { DestroyResult } from '../../compute/provider.ts';
import { note, placeAt } from '../pass.ts';
import type { Pass, StatusDraft, Verdict } from '../pass.ts';
import type { TransitionEvent } from '../status/transition-events.ts';
import { permitToDelete } from './gate.ts';
import { placesByOwner } from './places-by-owner.ts';

export interface Deletion {
  /** Why the finalizer must stay; undefined: it may go. */
  readonly verdict?: Verdict;
  readonly destroyed?: TransitionEvent;
  readonly lookAgainAfterMs?: number | undefined;
}

/** Empties every place that the tenant may be at. Never looks at the rest of the spec: it may be invalid by now. */
export async function deleteTenant(pass: Pass): Promise<Deletion> {
  const asked = asksToRetain(pass.tenant);
  if (asked !== undefined && mayRetain(pass)) {
    const kept = `${asked}: the workload stays as it is`;
    return { destroyed: { type: 'Normal', reason: 'Deleting', action: 'Retain', note: kept } };
  }
  try {
    // Nothing goes that may be meant to stay.
    if (asked !== undefined && mayRetain(pass) === undefined)
      throw unknownLabels(pass.tenant.metadata.namespace);
    return await emptyAll(pass);
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    return { verdict: blocked(error, error.message) };
  }
}

async function emptyAll(pass: Pass): Promise<Deletion> {
  const places = await placesToEmpty(pass);
  const emptied = await destroyPlacements(pass, places, permitToDelete(pass.tenant));
  const { left, failure, lookAgainAfterMs } = emptied;
  const why = withRefusal(pass, emptied.why);
  if (failure !== undefined) return { verdict: blocked(failure, why), lookAgainAfterMs };
  if (left.length > 0) return { verdict: { kind: 'deleting', message: why }, lookAgainAfterMs };
  if (places.length === 0) return {};
  const note = withRefusal(pass, whatIsLeft(pass, emptied));
  return { destroyed: { type: 'Normal', reason: 'Destroyed', action: 'Destroy', note } };
}

/** By which words of its spec what runs is to stay. Undefined: by none. */
export function asksToRetain(tenant: Tenant): string | undefined {
  if (isOnlyObserved(tenant)) return 'mode is Observe';
  return specOf(tenant)['deletionPolicy'] === 'Retain' ? 'deletionPolicy is Retain' : undefined;
}

function mayRetain({ deps, tenant }: Pass): boolean | undefined {
  return deps.mayRetain(tenant.metadata.namespace);
}

/** What was accepted under an earlier policy is told why it goes all the same. */
function withRefusal({ tenant }: Pass, text: string): string {
  const asked = asksToRetain(tenant);
  return asked === undefined ? text : `${text}; ${asked}, which policy.allow_retain does not allow here`;
}

function whatIsLeft({ tenant, draft }: Pass, { retained, givenUp }: Emptied): string {
  const kept = [...draft.retained, ...retained].map(({ provider, resource }) => `${resource} on ${provider}`);
  const isKept = kept.length > 0 && specOf(tenant)['volumePolicy'] !== 'Delete';
  if (givenUp.length === 0 && !isKept) return 'nothing of it is left';
  const lines = [
    givenUp.length === 0
      ? 'nothing of it runs any more'
      : `given up, with what is there: ${givenUp.join(', ')}`,
    ...(isKept ? [`kept, as volumePolicy says: ${kept.join(', ')}`] : []),
  ];
  return lines.join('; ');
}

function blocked(error: ComputeError, why: string): Verdict {
  return { kind: 'deleting', message: `can't be deleted yet: ${why}`, error };
}

function specOf({ spec }: Tenant): Readonly<Record<string, unknown>> {
  return (spec ?? {}) as Readonly<Record<string, unknown>>;
}

/**
 * Where the status says that something is. Without a placement it says nothing, so the engines are asked by owner; a
 * provider that forgets with the process has none until the first status: whatever it remembers of the tenant goes.
 */
async function placesToEmpty(pass: Pass): Promise<readonly Placement[]> {
  const { draft, deps, tenant } = pass;
  const known = [...(draft.placement === undefined ? [] : [draft.placement]), ...draft.previousPlacements];
  const kept =
    specOf(tenant)['volumePolicy'] === 'Delete' ? draft.retained.map(({ placement }) => placement) : [];
  const owned = draft.placement === undefined ? await placesByOwner(pass, pass.signal) : { places: [] };
  if (owned.tenantId !== undefined) note(pass, { tenantId: owned.tenantId });
  const forgetful =
    draft.placement === undefined
      ? [...deps.providers.values()].filter(({ definition }) => !definition.durable)
      : [];
  return distinctPlaces([
    ...known,
    ...owned.places,
    ...kept,
    ...forgetful.map(({ definition }): Placement => ({ provider: definition.name })),
  ]);
}

export interface Emptied {
  /** The places that still hold something. */
  readonly left: readonly Placement[];
  readonly why: string;
  /** The first that a place refused with. */
  readonly failure?: ComputeError | undefined;
  readonly retained: StatusDraft['retained'];
  /** Places that are left as they are, because a person says so. */
  readonly givenUp: readonly string[];
  readonly lookAgainAfterMs?: number | undefined;
}

/**
 * Takes the next step of destroying at each place: one that refuses, or can't be reached, holds up no other. A place that
 * is given up is left as it is; where nothing may be left behind, only once it can't be emptied.
 */
export async function destroyPlacements(
  pass: Pass,
  placements: readonly Placement[],
  permit: Permit,
): Promise<Emptied> {
  const left: Placement[] = [];
  const reasons: string[] = [];
  const retained: StatusDraft['retained'][number][] = [];
  const looks: number[] = [];
  const givenUp: string[] = [];
  let failure: ComputeError | undefined;
  for (const placement of placements) {
    if (mayRetain(pass) && isGivenUp(pass, placement)) {
      givenUp.push(placeText(placement));
      continue;
    }
    try {
      const result = await destroyAt(pass, placement, permit);
      if (result.outcome === 'gone') {
        retained.push(...retainedAt(pass, placement, result.retained ?? []));
        continue;
      }
      reasons.push(result.message);
      if (result.lookAgainAfterMs !== undefined) looks.push(result.lookAgainAfterMs);
    } catch (error) {
      if (!(error instanceof ComputeError)) throw error;
      if (abandonWhen[error.code] !== undefined && isGivenUp(pass, placement)) {
        givenUp.push(placeText(placement));
        continue;
      }
      failure ??= error;
      reasons.push(`${error.message}${abandonHint(pass, placement, error)}`);
    }
    left.push(placement);
  }
  const why =
    failure === undefined
      ? `removing what is left on ${namesOf(left)}: ${reasons.join('; ')}`
      : reasons.join('; ');
  return {
    left,
    why,
    failure,
    retained,
    givenUp,
    lookAgainAfterMs: looks.length > 0 ? Math.min(...looks) : undefined,
  };
}

function isGivenUp({ tenant, deps }: Pass, placement: Placement): boolean {
  const place = placeText(placement);
  if (tenant.metadata.annotations?.[abandon] !== place) return false;
  deps.logger.warn({ placement: place }, 'given up, as the annotation asks: what is there stays');
  return true;
}

async function destroyAt(pass: Pass, placement: Placement, permit: Permit): Promise<DestroyResult> {
  const enabled = pass.deps.providers.get(placement.provider);
  if (enabled === undefined) {
    throw new ComputeError(
      'ProviderNotFound',
      `provider "${placement.provider}" is not enabled on this operator, and what it made is still there: ` +
        `add compute.${placement.provider} to the operator's config, or ${mayRetain(pass) ? '' : 'have policy.allow_retain allow it, and '}` +
        'set spec.deletionPolicy to Retain to leave it',
    );
  }
  return enabled.provider.destroy(placeAt(pass, placement), permit, pass.signal);
}

const abandonWhen: Partial<Record<ErrorCode, string>> = {
  ProviderUnavailable: 'If that place is gone for good, give it up',
  AccessDenied: 'If that place is gone for good, give it up',
  ProviderConflict: 'If it is to stay, give it up',
};

function abandonHint({ tenant }: Pass, placement: Placement, error: ComputeError): string {
  const when = abandonWhen[error.code];
  if (when === undefined) return '';
  const { name, namespace } = tenant.metadata;
  return (
    `. ${when}: ` +
    `kubectl annotate tenant ${name} -n ${namespace} ${abandon}=${placeText(placement)} --overwrite`
  );
}

function retainedAt(
  { deps }: Pass,
  placement: Placement,
  resources: readonly string[],
): StatusDraft['retained'] {
  const since = timestamp(deps.now());
  return resources.map((resource) => ({ provider: placement.provider, resource, since, placement }));
}

/** What was kept at a place that is the tenant's again is not kept any more: it is in use. */
export function noteRetained(pass: Pass, more: StatusDraft['retained']): void {
  const { draft } = pass;
  const all = [...draft.retained, ...more].filter(
    ({ placement }) => !isSamePlace(placement, draft.placement),
  );
  const isSame = (a: (typeof all)[number], b: (typeof all)[number]): boolean =>
    a.resource === b.resource && isSamePlace(a.placement, b.placement);
  note(pass, { retained: all.filter((one, at) => all.findIndex((other) => isSame(one, other)) === at) });
}

function namesOf(placements: readonly Placement[]): string {
  return [...new Set(placements.map(({ provider }) => provider))].join(', ');
}
