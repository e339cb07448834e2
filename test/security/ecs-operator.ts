import { stringify } from 'yaml';
import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { explainIssues } from '../../src/api/explain-issues.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import { ecsOperatorBlock, ecsPolicyBlock } from '../../src/compute/providers/ecs/config.ts';
import { ecsProvider } from '../../src/compute/providers/ecs/provider.ts';
import { providerDefinitions, tenantBlocks } from '../../src/compute/registry.ts';
import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { resolveSpec } from '../../src/controller/steps/resolve-spec.ts';
import type { TenantSpec } from '../../src/api/tenant.ts';
import { anyPermit } from '../compute/permits.ts';
import { context } from '../compute/providers/ecs/ecs-fixture.ts';
import { listenerArn } from '../compute/providers/ecs/memory-balancing.ts';
import { baseArn, clusterArn, memoryEcs, writesOf } from '../compute/providers/ecs/memory-ecs.ts';
import type { MemoryEcs } from '../compute/providers/ecs/memory-ecs.ts';
import { tenantWith } from '../controller/tenant-fixture.ts';

/** An operator with the provider ecs, from its config to ECS in memory, and what it makes of manifests. */
export interface EcsOperator {
  readonly ecs: MemoryEcs;
  /** What the apiserver, or the operator, refuses the spec with: `InvalidSpec: …`; or `taken`. */
  apply(spec: Record<string, unknown>, whose?: Whose): Promise<string>;
  /** As a spec that was rejected. */
  hold(spec: Record<string, unknown>, whose?: Whose): Promise<string>;
  /** The service that a Tenant has by the operator's own prefix. */
  service(whose?: Whose): ReturnType<MemoryEcs['service']>;
  /** What ECS was asked to change since the last call. */
  writes(): readonly string[];
}

export interface Whose {
  readonly namespace?: string;
  readonly name?: string;
}

export interface EcsOperatorOptions {
  /** Over what the document of the compute providers has. */
  readonly block?: Readonly<Record<string, unknown>>;
  /** `policy` of the operator's config. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** Of the base task definition. */
  readonly base?: Partial<TaskDefinition>;
}

const documented = {
  cluster_arn: clusterArn,
  task_definition_arn: baseArn,
  service_name_prefix: 'landlord-tenant-',
};

const specSchema = tenantSpecSchema(tenantBlocks);

export function ecsOperator({ block, policy = {}, base }: EcsOperatorOptions = {}): EcsOperator {
  const text = stringify({ compute: { ecs: { ...documented, ...block } }, policy });
  const config = parseConfig(text, 'test.yaml', { providers: providerDefinitions, environment: {} });
  const ecs = memoryEcs();
  ecs.balancing.listeners.set(listenerArn('shared'), []);
  if (base !== undefined) ecs.addTaskDefinition({ family: 'tenant-app', revision: 12, ...base });
  const operatorBlock = ecsOperatorBlock.parse(config.compute['ecs']);
  const policies = config.policy as unknown as Readonly<Record<string, unknown>>;
  const provider = ecsProvider(
    ecs,
    operatorBlock,
    ecsPolicyBlock.parse(policies['ecs']),
    context({ policy: config.policy }),
  );
  const enabled = { definition: ecsDefinition, provider, block: operatorBlock };
  const { signal } = new AbortController();

  const desiredOf = async (spec: Record<string, unknown>, whose: Whose) => {
    const { namespace = 'team-a', name = 'acme' } = whose;
    const parsed = specSchema.safeParse(spec);
    if (!parsed.success) throw new ComputeError('InvalidSpec', explainIssues(parsed.error, 'spec'));
    const tenantSpec = parsed.data as TenantSpec;
    const resolved = await resolveSpec({
      tenant: tenantWith(undefined, { namespace, name }),
      tenantId: tenantSpec.tenantId ?? defaultTenantId(namespace, name),
      spec: tenantSpec,
      enabled,
      secrets: { value: unread, values: unread, files: unread, registryCredentials: unread },
      configMaps: { value: unread, values: unread, files: unread },
    });
    return provider.desired(resolved);
  };
  let told = 0;
  return {
    ecs,
    apply: (spec, whose = {}) =>
      outcomeOf(async () => {
        const desired = await desiredOf(spec, whose);
        const { exists } = await provider.getStatus(desired, desired, { fresh: true, signal });
        await provider[exists ? 'update' : 'provision'](desired, anyPermit, signal);
      }),
    hold: (spec, whose = {}) =>
      outcomeOf(async () => {
        await provider.hold(await desiredOf(spec, whose), anyPermit, signal);
      }),
    service: ({ namespace = 'team-a', name = 'acme' } = {}) =>
      ecs.service(`landlord-tenant-${defaultTenantId(namespace, name)}`),
    writes() {
      const all = writesOf(ecs);
      return all.slice(told, (told = all.length));
    },
  };
}

async function outcomeOf(act: () => Promise<void>): Promise<string> {
  try {
    await act();
    return 'taken';
  } catch (error) {
    if (error instanceof ComputeError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** ECS has secrets by reference. */
async function unread(): Promise<never> {
  throw new Error('no Secret is to be read');
}
