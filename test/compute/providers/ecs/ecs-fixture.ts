import { ownershipOf } from '../../../../src/compute/ownership.ts';
import type { Observation, ProviderContext } from '../../../../src/compute/provider.ts';
import {
  ecsMergedBlock,
  ecsOperatorBlock,
  ecsPolicyBlock,
} from '../../../../src/compute/providers/ecs/config.ts';
import type { EcsConfig } from '../../../../src/compute/providers/ecs/config.ts';
import type { ServiceDeps } from '../../../../src/compute/providers/ecs/converge/attempt.ts';
import { ecsProvider } from '../../../../src/compute/providers/ecs/provider.ts';
import type { EcsContext } from '../../../../src/compute/providers/ecs/provider.ts';
import type { DesiredService, EcsSettings } from '../../../../src/compute/providers/ecs/state/desired.ts';
import { ownerPrefix } from '../../../../src/compute/providers/ecs/state/marks/tags.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { baseArn, clusterArn } from './memory-ecs.ts';
import { silentLogger } from '../../../cluster/silent-logger.ts';
import { driven } from '../../driven-provider.ts';
import { hashKey } from '../../hash-key.ts';
import type { DrivenProvider } from '../../driven-provider.ts';

export const openPolicy: ProviderContext['policy'] = {
  allowed_images: ['*'],
  max_resources: { cpu: '', memory: '' },
  default_resources: { cpu: '', memory: '' },
};

/** Whatever a tenant may choose by itself; what it names of AWS must be on a list all the same. */
const openEcsPolicy = {
  allowed_launch_types: ['EC2', 'FARGATE', 'EXTERNAL'],
  allowed_tag_keys: ['*'],
  allowed_service_names: ['*'],
  allowed_service_name_prefixes: ['t-'],
};

const required = {
  cluster_arn: clusterArn,
  task_definition_arn: baseArn,
  service_name_prefix: 'landlord-tenant-',
};

/** The operator's side, as its config would give it. */
export function settings(
  block: Record<string, unknown> = {},
  policy: Record<string, unknown> = {},
  commonPolicy: EcsSettings['commonPolicy'] = openPolicy,
): EcsSettings {
  const parsed = ecsOperatorBlock.parse({ ...required, ...block });
  return {
    block: parsed,
    policy: ecsPolicyBlock.parse({ ...openEcsPolicy, ...policy }),
    commonPolicy,
    ownership: ownershipOf(
      { instance: 'default', clusterUid: 'cluster-1', adoptClusters: parsed.adopt_clusters },
      'ecs',
      ownerPrefix,
    ),
  };
}

export function context(over: Partial<EcsContext> = {}): EcsContext {
  return {
    instance: 'default',
    clusterUid: 'cluster-1',
    hashKey,
    logger: silentLogger,
    policy: openPolicy,
    sweepIntervalMs: 3_600_000,
    settleMs: 0,
    ...over,
  };
}

/** A tenant `acme` whose merged block says `config` over what is required. */
export function tenantSpec(
  config: Record<string, unknown> = {},
  over: Partial<TenantComputeSpec<EcsConfig>> = {},
): TenantComputeSpec<EcsConfig> {
  return {
    tenantId: 'acme',
    tenant: { namespace: 'team-a', name: 'acme', uid: 'uid-1' },
    containers: [],
    resources: {},
    config: ecsMergedBlock.parse({ ...required, ...config }),
    imagePullCredentials: [],
    ...over,
  };
}

export function containerSpec(name: string, over: Partial<ContainerSpec> = {}): ContainerSpec {
  return { name, image: 'app:1', env: [], resources: {}, ...over };
}

/** Of tenants that have no target groups made for them. */
export const noGroups: ServiceDeps['groups'] = {
  mayBeAt: async () => false,
  noteMade: () => undefined,
  noteGone: () => undefined,
  seen: async () => undefined,
  changed: () => undefined,
};

/** A provider that is driven by specs, and itself. */
export function drivenEcs(...parts: Parameters<typeof ecsProvider>) {
  const provider = ecsProvider(...parts);
  return { ...provider, ...driven<DesiredService, EcsConfig>(provider), undriven: provider };
}

/** Looks until nothing is on its way; a test that needs more looks than this is lost. */
export async function settled(
  provider: Pick<DrivenProvider<TenantComputeSpec<EcsConfig>>, 'getStatus'>,
  spec: TenantComputeSpec<EcsConfig>,
): Promise<Observation> {
  const { signal } = new AbortController();
  for (let looks = 0; ; looks += 1) {
    const seen = await provider.getStatus(spec, { fresh: true, signal });
    if (seen.lookAgainAfterMs === undefined || seen.rolledBack !== undefined || looks > 10) return seen;
  }
}
