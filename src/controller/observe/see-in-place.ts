import type { TenantSpec } from '../../api/tenant.ts';
import { isSamePlace } from '../../compute/place.ts';
import type { EnabledReads } from '../../compute/selection/enabled-providers.ts';
import { shownOf } from '../pass.ts';
import type { Pass } from '../pass.ts';
import { createConfigMapReader } from '../sources/config-map-reader.ts';
import { createSecretReader } from '../sources/secret-reader.ts';
import { placed } from '../steps/place.ts';
import { resolveSpec } from '../steps/resolve-spec.ts';

/**
 * Before another spec is tried: what runs is looked at with the values of its Secrets, where this process has seen it without
 * them alone. While the other one waits or is rejected, a provider brings back no more than what it has seen in place as a
 * whole. Changes nothing, and never rejects.
 */
export async function seeInPlace(pass: Pass, next: TenantSpec, enabled: EnabledReads): Promise<void> {
  const { memory, tenant } = pass;
  const { unread } = memory;
  memory.unread = undefined;
  // What follows looks at the same spec with the values.
  if (unread === undefined || unread.uid !== tenant.metadata.uid || unread.spec === next) return;
  try {
    await look(pass, unread.spec, enabled);
  } catch {
    // What ran so far can't be told any more; what is to run is the pass' business, and so is an engine that does not answer.
  }
}

async function look(pass: Pass, spec: TenantSpec, enabled: EnabledReads): Promise<void> {
  const { deps, tenant, draft, signal } = pass;
  const { namespace } = tenant.metadata;
  const { provider } = enabled;
  const { tenantId = '', images, data } = draft;
  const secrets = createSecretReader(deps.secrets, namespace, signal);
  const configMaps = createConfigMapReader(deps.configMaps, namespace, signal);
  const resolved = await resolveSpec({ tenant, tenantId, spec, enabled, secrets, configMaps });
  const known = images?.digests.map(({ image, digest }) => [image, digest] as const);
  const digests = spec.imagePullPolicy === 'Always' && known !== undefined && Object.fromEntries(known);
  const wanted = provider.desired({ ...resolved, ...(digests !== false && { digests }) });
  const desired = { ...(await placed(enabled, wanted, signal)), had: data, ...shownOf(draft) };
  if (isSamePlace(draft.placement, desired.placement))
    await provider.getStatus(desired, desired, { fresh: false, signal });
}
