import type { TenantSpec } from '../../api/tenant.ts';
import type { EnabledReads } from '../../compute/selection/enabled-providers.ts';
import type { TenantComputeSpec } from '../../compute/spec/tenant-compute-spec.ts';
import { keyOf } from '../../kube/client/kube-object.ts';
import { withDigests } from '../images/image-digests.ts';
import type { Pass } from '../pass.ts';
import { createConfigMapReader } from '../sources/config-map-reader.ts';
import { createSecretReader } from '../sources/secret-reader.ts';
import type { SecretReader } from '../sources/secret-reader.ts';
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
  if (!isKnownWhatItReads(pass, spec, enabled)) return undefined;
  const { deps, tenant, signal } = pass;
  const secrets = createSecretReader(deps.secrets, tenant.metadata.namespace, signal);
  const resolved = await resolveBy(pass, spec, { enabled, secrets });
  pass.secretsRead = secrets.versions();
  return resolved;
}

/** Whether all that it reads is watched. Throws ComputeError AccessDenied where that can't be. */
export function isKnownWhatItReads({ deps, tenant }: Pass, spec: TenantSpec, enabled: EnabledReads): boolean {
  const referenced = referencedSources(spec);
  // What the engine resolves by itself is no Secret of the cluster: no right to any is needed.
  const names = enabled.definition.secrets === 'values' ? referenced : { ...referenced, Secret: [] };
  const { namespace } = tenant.metadata;
  const key = keyOf(tenant);
  deps.index.setSources(key, namespace, names);
  const read = sourceKinds.filter((kind) => names[kind].length > 0);
  // Each is asked for, so that none is known later than it need be.
  return !read.map((kind) => deps.watches(kind, namespace, key)).includes(false);
}

/** Undefined: it is not known yet what its images' tags mean. */
export async function resolveBy(
  pass: Pass,
  spec: TenantSpec,
  { enabled, secrets }: { readonly enabled: EnabledReads; readonly secrets: SecretReader },
): Promise<TenantComputeSpec | undefined> {
  const { deps, tenant, draft, signal } = pass;
  const configMaps = createConfigMapReader(deps.configMaps, tenant.metadata.namespace, signal);
  const { tenantId = '' } = draft;
  const resolved = await resolveSpec({ tenant, tenantId, spec, enabled, secrets, configMaps });
  return withDigests(pass, spec, { enabled, spec: resolved });
}
