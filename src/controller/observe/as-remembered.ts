import { finalizer } from '../../api/names.ts';
import type { TenantSpec } from '../../api/tenant.ts';
import { isSamePlace } from '../../compute/place.ts';
import type { Observation } from '../../compute/provider.ts';
import type { EnabledReads } from '../../compute/selection/enabled-providers.ts';
import type { TenantComputeSpec } from '../../compute/spec/tenant-compute-spec.ts';
import { jsonEqual } from '../../kube/client/merge-patch.ts';
import { summaryOf } from '../conclude.ts';
import { hasDigests } from '../images/image-digests.ts';
import { note, requestedAt, shownOf } from '../pass.ts';
import type { Outcome, Pass } from '../pass.ts';
import { isUnchanged, namesEachKey, unreadSecrets } from '../sources/remembered-secrets.ts';
import type { RememberedSecrets } from '../sources/remembered-secrets.ts';
import { isReady } from '../status/ready.ts';
import { summarise } from '../status/summarise.ts';
import { nothing } from '../steps/choose-step.ts';
import { newsOf } from '../steps/converge.ts';
import { judge } from '../steps/judge.ts';
import { placed } from '../steps/place.ts';
import { referencedSources } from '../steps/resolve-spec.ts';
import { isKnownWhatItReads, resolveBy } from '../wanted/resolve.ts';

/**
 * A pass over a Tenant that is as its status says, told without the value of a Secret: they have the versions of which the
 * status remembers what they came to. A restart over many such Tenants reads none of their Secrets. Undefined: something
 * is not as the status says, or only who reads them can tell; nothing was done then.
 */
export async function asRemembered(
  pass: Pass,
  tenantSpec: TenantSpec,
  enabled: EnabledReads,
): Promise<Outcome | undefined> {
  const { secrets } = pass.draft;
  if (secrets === undefined || !isSettled(pass) || !isPlain(pass, tenantSpec)) return undefined;
  const { namespace } = pass.tenant.metadata;
  const { Secret: names } = referencedSources(tenantSpec);
  if (!isKnownWhatItReads(pass, tenantSpec, enabled)) return undefined;
  if (!isUnchanged(secrets, names, (name) => pass.deps.versionOf('Secret', namespace, name)))
    return undefined;
  try {
    return await look(pass, { tenantSpec, enabled, secrets });
  } catch {
    // Whatever it is: a pass that has all at hand says what.
    return undefined;
  }
}

/** Whether the status says that all is as it should be, and nothing is under way. */
function isSettled({ tenant, draft, memory }: Pass): boolean {
  const { metadata, status } = tenant;
  const news = newsOf({ tenant, draft, requestedAt: requestedAt({ tenant }) }, true);
  return (
    isReady(tenant) &&
    status?.phase === 'Ready' &&
    news === 'none' &&
    metadata.finalizers?.includes(finalizer) === true &&
    memory.step === undefined &&
    draft.appliedGeneration === metadata.generation &&
    [draft.rejected, draft.plan, draft.rollout, memory.rejected].every((one) => one === undefined) &&
    [draft.previousPlacements, draft.retained, draft.lost, draft.drift].every((list) => list.length === 0)
  );
}

/** Whether nothing but the values of single keys is missing to compare what runs. */
function isPlain(pass: Pass, tenantSpec: TenantSpec): boolean {
  const { adopt, release, imagePullPolicy } = tenantSpec;
  const asksNoRegistry = imagePullPolicy !== 'Always' || hasDigests(pass);
  return !adopt && release === undefined && asksNoRegistry && namesEachKey(tenantSpec);
}

interface Looking {
  readonly tenantSpec: TenantSpec;
  readonly enabled: EnabledReads;
  readonly secrets: RememberedSecrets;
}

async function look(pass: Pass, { tenantSpec, enabled, secrets }: Looking): Promise<Outcome | undefined> {
  const { draft, tenant, signal } = pass;
  const { provider } = enabled;
  const spec = await resolveBy(pass, tenantSpec, { enabled, secrets: unreadSecrets });
  if (spec === undefined) return undefined;
  const wanted = await placed(enabled, provider.desired(unread(spec, secrets)), signal);
  await provider.validate(wanted, signal);
  if (!isSamePlace(draft.placement, wanted.placement)) return undefined;
  const desired = { ...wanted, ...(draft.data.length > 0 && { had: draft.data }), ...shownOf(draft) };
  const seen = await provider.getStatus(desired, desired, { fresh: false, signal });
  if (!isAsDesired(seen)) return undefined;
  const verdict = judge({
    tenant,
    desired,
    step: nothing,
    result: undefined,
    observation: seen,
    rejected: undefined,
  });
  const { compute, replicas = compute.running, data = [] } = seen;
  const facts = { compute, replicas, data };
  const summary = summaryOf({ ...pass, draft: { ...draft, ...facts } });
  // Not a word that the status does not have already: nobody here knows what is not to be said.
  if (!jsonEqual(summarise({ ...summary, verdict }), tenant.status)) return undefined;
  note(pass, facts);
  pass.memory.unread = { uid: tenant.metadata.uid, spec: tenantSpec };
  pass.specHash = desired.specHash;
  return { verdict, repaired: [], lookAgainAfterMs: seen.lookAgainAfterMs };
}

/** What is for pulls alone is left out: nothing is pulled. */
function unread(
  { imagePullSecrets: _names, ...spec }: TenantComputeSpec,
  { hashes }: RememberedSecrets,
): TenantComputeSpec {
  const remembered = Object.fromEntries(hashes.map(({ container, specHash }) => [container, specHash]));
  return { ...spec, remembered };
}

function isAsDesired({ exists, changes, gone = [], halfway, rolledBack }: Observation): boolean {
  return exists && changes.length + gone.length === 0 && halfway !== true && rolledBack === undefined;
}
