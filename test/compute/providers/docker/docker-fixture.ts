import { pino } from 'pino';
import { ownershipOf } from '../../../../src/compute/ownership.ts';
import type { Provider, ProviderContext } from '../../../../src/compute/provider.ts';
import {
  dockerMergedBlock,
  dockerOperatorBlock,
  dockerPolicyBlock,
} from '../../../../src/compute/providers/docker/config.ts';
import { writablePaths } from '../../../../src/compute/providers/docker/state/confinement/host-paths.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import type { Engine } from '../../../../src/compute/providers/docker/engine/engine.ts';
import { dockerProvider } from '../../../../src/compute/providers/docker/provider.ts';
import type { DockerContext } from '../../../../src/compute/providers/docker/reach.ts';
import type {
  DesiredTenant,
  DockerSettings,
} from '../../../../src/compute/providers/docker/state/desired-tenant.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { driven } from '../../driven-provider.ts';
import { hashKey } from '../../hash-key.ts';
import type { DrivenProvider } from '../../driven-provider.ts';

/** One for all: each logger opens stdout anew, which costs more than most tests. */
export const silent = pino({ level: 'silent' });

export const openPolicy: ProviderContext['policy'] = {
  allowed_images: ['*'],
  max_resources: { cpu: '', memory: '' },
  default_resources: { cpu: '', memory: '' },
};

/** The operator's side, as its config would give it. */
export function settings(
  block: Record<string, unknown> = {},
  policy: Record<string, unknown> = {},
): DockerSettings {
  const parsed = dockerOperatorBlock.parse({ image: 'app:1', ...block });
  const rules = dockerPolicyBlock.parse(policy);
  return {
    block: parsed,
    policy: rules,
    writableHostPaths: writablePaths(rules.allowed_host_paths),
    commonPolicy: openPolicy,
    hashKey,
    ownership: ownershipOf(
      { instance: 'default', clusterUid: 'cluster-1', adoptClusters: parsed.adopt_clusters },
      'docker',
      parsed.label_prefix,
    ),
  };
}

export function context(over: Partial<DockerContext> = {}): DockerContext {
  return {
    instance: 'default',
    clusterUid: 'cluster-1',
    hashKey,
    logger: silent,
    policy: openPolicy,
    sweepIntervalMs: 3_600_000,
    settleMs: 0,
    pauseMs: 0,
    ...over,
  };
}

type DrivenByDockerSpecs = DrivenProvider<TenantComputeSpec<DockerConfig>>;

/** A provider that takes specs where the contract takes what `desired` makes of them. */
export interface DrivenDocker
  extends DrivenByDockerSpecs, Omit<Provider<DesiredTenant>, keyof DrivenByDockerSpecs> {
  /** As the contract has it. */
  readonly bare: Provider<DesiredTenant>;
}

export function drivenDocker(
  engine: Engine,
  { block, policy } = settings(),
  over: Partial<DockerContext> = {},
): DrivenDocker {
  const bare = dockerProvider(engine, block, policy, context(over));
  return { ...bare, ...driven<DesiredTenant, DockerConfig>(bare), bare };
}

/** A tenant `acme` whose block says `config`. */
export function tenantSpec(
  config: Record<string, unknown> = {},
  over: Partial<TenantComputeSpec<DockerConfig>> = {},
): TenantComputeSpec<DockerConfig> {
  return {
    tenantId: 'acme',
    tenant: { namespace: 'team-a', name: 'acme', uid: 'uid-1' },
    containers: [],
    resources: {},
    config: dockerMergedBlock.parse({ image: 'app:1', ...config }),
    imagePullCredentials: [],
    ...over,
  };
}

export function containerSpec(name: string, over: Partial<ContainerSpec> = {}): ContainerSpec {
  return { name, image: 'app:1', env: [], resources: {}, ...over };
}
