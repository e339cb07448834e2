import { oversize } from '../../api/bounded.ts';
import { explainIssues } from '../../api/explain-issues.ts';
import type { Tenant, TenantSpec, TenantSpecSchema } from '../../api/tenant.ts';
import { tenantConfig } from '../../compute/selection/enabled-providers.ts';
import { labelledBlock } from '../../compute/selection/labelled-block.ts';
import type { EnabledReads } from '../../compute/selection/enabled-providers.ts';
import { ComputeError } from '../../compute/errors.ts';
import type {
  ContainerSpec,
  RegistryCredential,
  TenantComputeSpec,
} from '../../compute/spec/tenant-compute-spec.ts';
import type { ConfigMapReader } from '../sources/config-map-reader.ts';
import type { SecretReader } from '../sources/secret-reader.ts';
import type { SourceNames } from '../sources/source.ts';
import { resolveEnv } from '../sources/resolve-env.ts';
import { resolveVolumes } from '../sources/resolve-volumes.ts';
import { requestedAt } from '../pass.ts';

/** The spec as its schema takes it. Throws ComputeError InvalidSpec, naming the path: the CRD may be an older one. */
export function parseTenantSpec(schema: TenantSpecSchema, tenant: Tenant): TenantSpec {
  const tooLarge = oversize(tenant.spec);
  if (tooLarge !== undefined) throw new ComputeError('InvalidSpec', `spec: ${tooLarge}`);
  const parsed = schema.safeParse(tenant.spec);
  if (!parsed.success) throw new ComputeError('InvalidSpec', explainIssues(parsed.error, 'spec'));
  return parsed.data as TenantSpec;
}

/** Names of all Secrets and ConfigMaps that the spec refers to. */
export function referencedSources({
  containers = [],
  volumes = [],
  imagePullSecrets = [],
}: TenantSpec): SourceNames {
  const values = containers.flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom ?? []));
  const whole = containers.flatMap(({ envFrom = [] }) => envFrom);
  return {
    Secret: namesOf([
      ...values.map(({ secretKeyRef }) => secretKeyRef),
      ...whole.map(({ secretRef }) => secretRef),
      ...volumes.map(({ secret }) => secret && { name: secret.secretName }),
      ...imagePullSecrets,
    ]),
    ConfigMap: namesOf([
      ...values.map(({ configMapKeyRef }) => configMapKeyRef),
      ...whole.map(({ configMapRef }) => configMapRef),
      ...volumes.map(({ configMap }) => configMap),
    ]),
  };
}

function namesOf(references: readonly ({ readonly name: string } | undefined)[]): string[] {
  return references.flatMap((reference) => reference?.name ?? []);
}

export interface ResolveInput {
  readonly tenant: Tenant;
  readonly tenantId: string;
  readonly spec: TenantSpec;
  readonly enabled: EnabledReads;
  readonly secrets: SecretReader;
  readonly configMaps: ConfigMapReader;
}

/**
 * What the provider receives: config merged and checked, Secrets and ConfigMaps read.
 * Rejects with ComputeError InvalidSpec, SecretNotFound or AccessDenied.
 */
export async function resolveSpec({
  tenant,
  tenantId,
  spec,
  enabled,
  secrets,
  configMaps,
}: ResolveInput): Promise<TenantComputeSpec> {
  const { namespace, name, uid } = tenant.metadata;
  const { definition } = enabled;
  const block = labelledBlock(definition, tenant.metadata, spec.computeConfig?.[definition.name]);
  const config = tenantConfig(enabled, block);
  const readValues = enabled.definition.secrets === 'values' ? secrets : undefined;
  const sources = { provider: definition.name, secrets: readValues, configMaps };
  const containers: ContainerSpec[] = [];
  for (const container of spec.containers ?? []) {
    const { envFrom: _envFrom, ...rest } = container;
    containers.push({
      ...rest,
      env: await resolveEnv(container, sources),
      resources: { ...spec.resources, ...container.resources },
    });
  }
  const imagePullCredentials: RegistryCredential[] = [];
  for (const { name: secret } of spec.imagePullSecrets ?? []) {
    imagePullCredentials.push(...((await readValues?.registryCredentials(secret)) ?? []));
  }
  const { computeProvider, compute } = tenant.status ?? {};
  const requested = requestedAt({ tenant });
  const isItsOwn = computeProvider === enabled.definition.name && compute !== undefined;
  return {
    tenantId,
    tenant: { namespace, name, uid },
    containers,
    ...(spec.replicas === undefined ? {} : { replicas: spec.replicas }),
    ...(spec.volumes === undefined ? {} : { volumes: await resolveVolumes(spec.volumes, sources) }),
    ...(spec.release === undefined ? {} : { release: spec.release }),
    resources: spec.resources ?? {},
    config,
    imagePullCredentials,
    ...(readValues && { imagePullSecrets: (spec.imagePullSecrets ?? []).map(({ name: secret }) => secret) }),
    unhealthyPolicy: spec.unhealthyPolicy,
    ...(spec.volumePolicy === 'Delete' ? { volumePolicy: spec.volumePolicy } : {}),
    ...(spec.mode === 'Observe' ? { mode: spec.mode } : {}),
    ...(spec.adopt ? { adopt: true } : {}),
    ...(isItsOwn ? { before: compute } : {}),
    ...(requested === undefined ? {} : { requestedAt: requested }),
  };
}
