import { tenantSpecSchema } from '../../src/api/tenant.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import type { Labels } from '../../src/compute/label-selector.ts';
import { dockerOperatorBlock, dockerPolicyBlock } from '../../src/compute/providers/docker/config.ts';
import type { CreateBody } from '../../src/compute/providers/docker/converge/create-body.ts';
import type { Engine } from '../../src/compute/providers/docker/engine/engine.ts';
import type { DesiredTenant } from '../../src/compute/providers/docker/state/desired-tenant.ts';
import type { Provider } from '../../src/compute/provider.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { dockerProvider } from '../../src/compute/providers/docker/provider.ts';
import { providerDefinitions, tenantBlocks } from '../../src/compute/registry.ts';
import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { createConfigMapReader } from '../../src/controller/sources/config-map-reader.ts';
import { createSecretReader } from '../../src/controller/sources/secret-reader.ts';
import { parseTenantSpec, resolveSpec } from '../../src/controller/steps/resolve-spec.ts';
import { anyPermit } from '../compute/permits.ts';
import { context } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryEngine } from '../compute/providers/docker/memory-engine.ts';

/** An operator with the provider docker, from its config to an engine in memory, and what it makes of manifests. */
export interface DockerOperator {
  readonly engine: MemoryEngine;
  /** What a Tenant of the namespace comes to: `PolicyDenied: …`, or what the step says. */
  readonly apply: (namespace: string, spec: object, name?: string) => Promise<string>;
  /** The same, until there is nothing left to wait for. */
  readonly settle: (namespace: string, spec: object, name?: string) => Promise<string>;
  /** Bodies of the requests that made containers, by their names. */
  readonly requests: () => Readonly<Record<string, CreateBody>>;
}

export interface DockerOperatorOptions {
  readonly docker?: object;
  readonly policy?: object;
  /** Labels of namespaces; those that are left out are not known. */
  readonly namespaceLabels?: Readonly<Record<string, Labels>>;
  readonly engine?: MemoryEngine;
  /** Contents of Secrets of type kubernetes.io/dockerconfigjson, by `NAMESPACE/NAME`. */
  readonly pullSecrets?: Readonly<Record<string, object>>;
}

const schema = tenantSpecSchema(tenantBlocks);
const { signal } = new AbortController();

/** The provider of an operator with this config, and what it makes of manifests. */
export interface DockerManifests {
  readonly provider: Provider<DesiredTenant>;
  /** What a Tenant wants of the engine. Rejects where it is refused. */
  readonly desired: (tenant: Manifest) => Promise<DesiredTenant>;
}

export interface Manifest {
  readonly namespace: string;
  readonly name: string;
  readonly spec: object;
  /** Default: the one of a Tenant that names none. */
  readonly tenantId?: string;
}

export interface DockerManifestsOptions extends Omit<DockerOperatorOptions, 'engine'> {
  readonly engine: Engine;
  readonly settleMs?: number;
}

export function dockerManifests({
  docker = {},
  policy = {},
  namespaceLabels = {},
  engine,
  pullSecrets = {},
  settleMs = 0,
}: DockerManifestsOptions): DockerManifests {
  const text = JSON.stringify({ compute: { docker: { image: 'default:1', ...docker } }, policy });
  const config = parseConfig(text, 'config.yaml', { providers: providerDefinitions, environment: {} });
  const block = dockerOperatorBlock.parse(config.compute['docker']);
  const own = dockerPolicyBlock.parse((config.policy as Readonly<Record<string, unknown>>)['docker']);
  const labels = new Map(Object.entries(namespaceLabels));
  const rules = { ...config.policy, labelsOf: (namespace: string) => labels.get(namespace) };
  const provider = dockerProvider(engine, block, own, context({ policy: rules, settleMs }));
  return {
    provider,
    async desired({ namespace, name, spec, tenantId = defaultTenantId(namespace, name) }) {
      const metadata = { namespace, name, uid: `uid-${name}` };
      const tenant = {
        apiVersion: 'landlord.dev/v1alpha1',
        kind: 'Tenant',
        metadata,
        spec,
      } as unknown as Tenant;
      const get = async (secret: string) => secretOf(pullSecrets[`${namespace}/${secret}`]);
      return provider.desired(
        await resolveSpec({
          tenant,
          tenantId,
          spec: parseTenantSpec(schema, tenant),
          enabled: { definition: dockerDefinition, provider, block },
          secrets: createSecretReader({ get } as never, namespace, signal),
          configMaps: createConfigMapReader({ get: async () => undefined }, namespace, signal),
        }),
      );
    },
  };
}

export function dockerOperator({
  engine = memoryEngine(),
  ...options
}: DockerOperatorOptions = {}): DockerOperator {
  const { provider, desired } = dockerManifests({ ...options, engine });
  const step = async (namespace: string, spec: object, name: string) => {
    const wanted = await desired({ namespace, name, spec });
    await provider.validate(wanted, signal);
    return provider.provision(wanted, anyPermit, signal);
  };
  return {
    engine,
    apply: (namespace, spec, name = 'acme') => told(async () => (await step(namespace, spec, name)).message),
    settle: (namespace, spec, name = 'acme') =>
      told(async () => {
        for (let turn = 0; turn < 20; turn += 1) {
          const { outcome, message } = await step(namespace, spec, name);
          if (outcome !== 'in_progress') return message;
          await new Promise((resolve) => setImmediate(resolve));
        }
        return 'still in progress';
      }),
    requests: () => Object.fromEntries([...engine.containers.values()].map(({ name, body }) => [name, body])),
  };
}

/** Of a Tenant with one container. */
export function withImage(image: string, more: object = {}): object {
  return { containers: [{ name: 'app', image }], ...more };
}

function secretOf(content: object | undefined): object | undefined {
  if (content === undefined) return undefined;
  const encoded = Buffer.from(JSON.stringify(content)).toString('base64');
  const metadata = { resourceVersion: '1' };
  return { metadata, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': encoded } };
}

async function told(act: () => Promise<string>): Promise<string> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ComputeError) return `${error.code}: ${error.message}`;
    throw error;
  }
}
