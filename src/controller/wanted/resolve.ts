import type { TenantSpec } from '../../api/tenant.ts';
import type { EnabledReads } from '../../compute/selection/enabled-providers.ts';
import { keyOf } from '../../kube/client/kube-object.ts';
import { withDigests } from '../images/image-digests.ts';
import type { Pass } from '../pass.ts';
import { createConfigMapReader } from '../sources/config-map-reader.ts';
import { createSecretReader } from '../sources/secret-reader.ts';
import { sourceKinds } from '../sources/source.ts';
import { parseTenantSpec, referencedSources, resolveSpec } from '../steps/resolve-spec.ts';

/** Most passes are over the spec of the one before: a generation has one. */
export function specOf({ deps, tenant, memory }: Pass): TenantSpec {
  const { uid, generation } = tenant.metadata;
  const { parsed } = memory;
  if (parsed?.uid === uid && parsed.generation === generation) return parsed.spec;
  const spec = parseTenantSpec(deps.specSchema, tenant);
  memory.parsed = { uid, generation, spec };
  return spec;
}

/** Undefined: it is not known yet whether what it reads is watched, or what its images' tags mean. No pass waits for that. */
export async function resolve(pass: Pass, spec: TenantSpec, enabled: EnabledReads) {
  const { deps, tenant, draft, signal } = pass;
  const referenced = referencedSources(spec);
  // What the engine resolves by itself is no Secret of the cluster: no right to any is needed.
  const names = enabled.definition.secrets === 'values' ? referenced : { ...referenced, Secret: [] };
  const { namespace } = tenant.metadata;
  const key = keyOf(tenant);
  deps.index.setSources(key, namespace, names);
  const read = sourceKinds.filter((kind) => names[kind].length > 0);
  // Each is asked for, so that none is known later than it need be.
  if (read.map((kind) => deps.watches(kind, namespace, key)).includes(false)) return undefined;
  const secrets = createSecretReader(deps.secrets, namespace, signal);
  const configMaps = createConfigMapReader(deps.configMaps, namespace, signal);
  const { tenantId = '' } = draft;
  const resolved = await resolveSpec({ tenant, tenantId, spec, enabled, secrets, configMaps });
  return withDigests(pass, spec, { enabled, spec: resolved });
}
