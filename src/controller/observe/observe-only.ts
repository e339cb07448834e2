import type { DriftItem } from '../../api/status.ts';
import type { TenantSpec } from '../../api/tenant.ts';
import { readsOf } from '../../compute/fenced-provider.ts';
import { isSamePlace, placeText } from '../../compute/place.ts';
import type { Desired, Observation } from '../../compute/provider.ts';
import type { EnabledReads } from '../../compute/selection/enabled-providers.ts';
import { attended } from '../attended-provider.ts';
import { note, placeAt, requestedAt, shownOf } from '../pass.ts';
import type { Outcome, Pass, Verdict } from '../pass.ts';
import { isHealthy } from '../status/ready.ts';
import { missing, withoutCause } from '../steps/choose-step.ts';
import { completePlaces } from '../steps/complete-places.ts';
import { newsOf } from '../steps/converge.ts';
import { identify } from '../steps/identify.ts';
import { placed } from '../steps/place.ts';
import { choosable, choose } from '../wanted/choose.ts';
import { resolve } from '../wanted/resolve.ts';

/**
 * The steps of a Tenant whose `mode` is Observe: what runs is looked at and compared, and that is all. Nothing is at hand
 * here that could change anything on an engine, and neither finalizer nor placement is written: what it has of these from
 * the time before stays. Undefined: it is too early to say anything.
 */
export async function observeOnly(pass: Pass, tenantSpec: TenantSpec): Promise<Outcome | undefined> {
  note(pass, { tenantId: await identify(pass, tenantSpec, () => choosable(pass, tenantSpec)) });
  const attending = attended(pass, choose(pass, tenantSpec));
  const enabled: EnabledReads = { ...attending, provider: readsOf(attending.provider) };
  note(pass, { computeProvider: enabled.definition.name });
  const spec = await resolve(pass, tenantSpec, enabled);
  if (spec === undefined) return undefined;
  const desired = await placed(enabled, enabled.provider.desired(spec), pass.signal);
  pass.specHash = desired.specHash;
  await completePlaces(pass);
  const seen = await look(pass, enabled, desired);
  const handled = requestedAt(pass);
  const { compute, drift, replicas = compute.running } = seen;
  note(pass, { compute, replicas, drift, plan: undefined, lastHandledReconcileAt: handled });
  return { verdict: verdictOf(seen), repaired: [], lookAgainAfterMs: seen.lookAgainAfterMs };
}

interface Seen extends Pick<
  Observation,
  'compute' | 'replicas' | 'exists' | 'scaling' | 'message' | 'lookAgainAfterMs'
> {
  readonly drift: readonly DriftItem[];
}

async function look(pass: Pass, enabled: EnabledReads, desired: Desired): Promise<Seen> {
  const { draft, signal } = pass;
  const { placement } = draft;
  const fresh = newsOf({ ...pass, requestedAt: requestedAt(pass) }, true) !== 'none';
  if (placement !== undefined && !isSamePlace(placement, desired.placement))
    return lookElsewhere(pass, desired, fresh);
  const had = placement === undefined || draft.data.length === 0 ? {} : { had: draft.data };
  const against = { ...desired, ...had, ...shownOf(draft) };
  const { changes, exists, ...seen } = await enabled.provider.getStatus(against, against, { fresh, signal });
  const drift = (exists ? changes : [missing]).map(withoutCause);
  // What it has is the Tenant's data only where it has made that.
  if (placement !== undefined && seen.data !== undefined) note(pass, { data: seen.data });
  return { ...seen, exists, drift };
}

/** The spec leads to a place where nothing of it was made yet: what it has made is where it was. */
async function lookElsewhere(pass: Pass, desired: Desired, fresh: boolean): Promise<Seen> {
  const { deps, draft, signal } = pass;
  const { placement = desired.placement } = draft;
  const enabled = deps.providers.get(placement.provider);
  const drift = [{ path: 'placement', desired: placeText(desired.placement), actual: placeText(placement) }];
  if (enabled === undefined) {
    const compute = { state: 'unknown', health: 'unknown', running: 0, desired: 0 } as const;
    return { compute, exists: false, drift, message: `provider "${placement.provider}" is not enabled` };
  }
  const { provider } = attended(pass, enabled);
  const at = placeAt(pass, placement);
  return { ...(await readsOf(provider).getStatus(at, undefined, { fresh, signal })), drift };
}

function verdictOf({ compute, exists, scaling, message }: Seen): Verdict {
  const isWell = exists && isHealthy(compute, scaling);
  const runs = `${compute.running}/${compute.desired} running`;
  const nothing = exists ? undefined : 'nothing is there';
  const ill = `${runs}, state ${compute.state}, health ${compute.health}`;
  const what = isWell ? `${runs} and healthy` : (message ?? nothing ?? ill);
  return { kind: 'observed', isWell, message: `only observed, as mode says: ${what}` };
}
