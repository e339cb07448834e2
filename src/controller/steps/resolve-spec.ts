import { oversize } from '../../api/bounded.ts';
import type { Container } from '../../api/compute-fields.ts';
import { explainIssues } from '../../api/explain-issues.ts';
import type { Tenant, TenantSpec, TenantSpecSchema } from '../../api/tenant.ts';
import { tenantConfig } from '../../compute/selection/enabled-providers.ts';
import { labelledBlock } from '../../compute/selection/labelled-block.ts';
import type { EnabledProvider } from '../../compute/selection/enabled-providers.ts';
import { ComputeError } from '../../compute/errors.ts';
import type {
  ContainerSpec,
  EnvVar,
  RegistryCredential,
  TenantComputeSpec,
} from '../../compute/spec/tenant-compute-spec.ts';
import type { SecretReader } from '../secrets/secret-reader.ts';

/** The spec as its schema takes it. Throws ComputeError InvalidSpec, naming the path: the CRD may be an older one. */
export function parseTenantSpec(schema: TenantSpecSchema, tenant: Tenant): TenantSpec {
  const tooLarge = oversize(tenant.spec);
  if (tooLarge !== undefined) throw new ComputeError('InvalidSpec', `spec: ${tooLarge}`);
  const parsed = schema.safeParse(tenant.spec);
  if (!parsed.success) throw new ComputeError('InvalidSpec', explainIssues(parsed.error, 'spec'));
  return parsed.data as TenantSpec;
}

/** Names of all Secrets that the spec refers to. */
export function referencedSecrets(spec: TenantSpec): string[] {
  const fromEnv = (spec.containers ?? []).flatMap(({ env }) =>
    (env ?? []).flatMap(({ valueFrom }) => (valueFrom === undefined ? [] : [valueFrom.secretKeyRef.name])),
  );
  return [...fromEnv, ...(spec.imagePullSecrets ?? []).map(({ name }) => name)];
}

export interface ResolveInput {
  readonly tenant: Tenant;
  readonly tenantId: string;
  readonly spec: TenantSpec;
  readonly enabled: EnabledProvider;
  readonly secrets: SecretReader;
}

/**
 * What the provider receives: config merged and checked, Secrets read.
 * Rejects with ComputeError InvalidSpec, SecretNotFound or AccessDenied.
 */
export async function resolveSpec({
  tenant,
  tenantId,
  spec,
  enabled,
  secrets,
}: ResolveInput): Promise<TenantComputeSpec> {
  const { namespace, name, uid } = tenant.metadata;
  const { definition } = enabled;
  const block = labelledBlock(definition, tenant.metadata, spec.computeConfig?.[definition.name]);
  const config = tenantConfig(enabled, block);
  const readValues = enabled.definition.secrets === 'values' ? secrets : undefined;
  const containers: ContainerSpec[] = [];
  for (const container of spec.containers ?? []) {
    containers.push({
      ...container,
      env: await resolveEnv(container, readValues),
      resources: { ...spec.resources, ...container.resources },
    });
  }
  const imagePullCredentials: RegistryCredential[] = [];
  for (const { name: secret } of spec.imagePullSecrets ?? []) {
    imagePullCredentials.push(...((await readValues?.registryCredentials(secret)) ?? []));
  }
  const { computeProvider, compute } = tenant.status ?? {};
  const isItsOwn = computeProvider === enabled.definition.name && compute !== undefined;
  return {
    tenantId,
    tenant: { namespace, name, uid },
    containers,
    resources: spec.resources ?? {},
    config,
    imagePullCredentials,
    ...(isItsOwn ? { before: compute } : {}),
  };
}

async function resolveEnv({ env = [] }: Container, secrets: SecretReader | undefined): Promise<EnvVar[]> {
  const resolved: EnvVar[] = [];
  for (const { name, value, valueFrom } of env) {
    if (valueFrom === undefined) {
      resolved.push({ name, value: value ?? '' });
      continue;
    }
    const { secretKeyRef } = valueFrom;
    const secret = await secrets?.value(secretKeyRef.name, secretKeyRef.key);
    resolved.push(secret === undefined ? { name, secretKeyRef } : { name, secretKeyRef, secret });
  }
  return resolved;
}
