import { tenantSpecSchema } from '../../src/api/tenant.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { providerDefinitions, tenantBlocks } from '../../src/compute/registry.ts';
import { dockerOperatorBlock, dockerPolicyBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import type { Engine } from '../../src/compute/providers/docker/engine/engine.ts';
import { dockerProvider } from '../../src/compute/providers/docker/provider.ts';
import type { DockerContext } from '../../src/compute/providers/docker/provider.ts';
import type { DesiredTenant } from '../../src/compute/providers/docker/state/desired-tenant.ts';
import type { Provider, StepResult } from '../../src/compute/provider.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { parseTenantSpec, resolveSpec } from '../../src/controller/steps/resolve-spec.ts';
import { context } from '../compute/providers/docker/docker-fixture.ts';
import { anyPermit } from '../compute/permits.ts';

/** Tenants of different people on one engine, by the way that their manifests take in the operator. */

type Block = Readonly<Record<string, unknown>>;

export interface SharedEngine {
  readonly provider: Provider<DesiredTenant>;
  /** What a Tenant of that name wants of the engine. Rejects where it is refused. */
  readonly desired: (name: string, spec?: Block) => Promise<DesiredTenant>;
  /** One pass over it, with the operator's consent to all. */
  readonly apply: (name: string, spec?: Block) => Promise<StepResult>;
}

export interface Config {
  /** compute.docker of the operator's config, beside its image. */
  readonly docker?: Block;
  readonly policy?: Block;
  readonly context?: Partial<DockerContext>;
}

const schema = tenantSpecSchema(tenantBlocks);
const never = new AbortController().signal;

export function sharedEngine(engine: Engine, config: Config = {}): SharedEngine {
  const text = JSON.stringify({
    compute: { docker: { image: 'app:1', ...config.docker } },
    policy: config.policy ?? {},
  });
  const { compute, policy } = parseConfig(text, 'config.yaml', {
    providers: providerDefinitions,
    environment: {},
  });
  const block = compute['docker'] ?? {};
  const provider = dockerProvider(
    engine,
    dockerOperatorBlock.parse(block),
    dockerPolicyBlock.parse((policy as Block)['docker']),
    context({ policy, ...config.context }),
  );
  const desired = async (name: string, spec: Block = {}): Promise<DesiredTenant> => {
    const tenant = {
      metadata: { namespace: `of-${name}`, name, uid: `uid-${name}` },
      spec,
    } as unknown as Tenant;
    const resolved = await resolveSpec({
      tenant,
      tenantId: (spec['tenantId'] as string | undefined) ?? name,
      spec: parseTenantSpec(schema, tenant),
      enabled: { definition: dockerDefinition, provider, block },
      secrets: { value: async () => undefined, registryCredentials: async () => [] } as never,
    });
    return provider.desired(resolved);
  };
  return {
    provider,
    desired,
    async apply(name, spec) {
      const wanted = await desired(name, spec);
      await provider.validate(wanted, never);
      return provider.update(wanted, anyPermit, never);
    },
  };
}

/** `computeConfig.docker` of a manifest. */
export function withBlock(docker: Block): Block {
  return { computeConfig: { docker } };
}

/** A manifest with so many containers. */
export function withContainers(...names: readonly string[]): Block {
  return { containers: names.map((name) => ({ name, image: 'app:1' })) };
}
