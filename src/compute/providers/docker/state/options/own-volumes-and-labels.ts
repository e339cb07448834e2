import type { TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerConfig, DockerOperatorBlock, DockerPolicy } from '../../config.ts';
import { checkLabels } from '../place/check-labels.ts';
import { parseVolumes } from '../volumes/parse-volumes.ts';
import type { VolumeMount, VolumeRules } from '../volumes/parse-volumes.ts';
import { containerOptions } from './container-options.ts';
import type { ContainerOptions } from './container-options.ts';
import type { OptionsAsking } from './options-asking.ts';

/** What one container mounts and bears beside what all of a tenant do. Pure. */

/** What every container mounts, and by which rules a container has more. */
export interface SharedVolumes {
  readonly volumes: readonly VolumeMount[];
  readonly rules: Omit<VolumeRules, 'operatorVolumes' | 'others' | 'path'>;
}

interface Rules {
  readonly block: Pick<DockerOperatorBlock, 'label_prefix' | 'volumes'>;
  readonly policy: Pick<DockerPolicy, 'allowed_host_paths'>;
  readonly writableHostPaths: readonly string[];
}

/** What all of a tenant's containers mount. Throws InvalidSpec, naming the path, or PolicyDenied, naming the rule. */
export function sharedVolumes(
  { config, tenantId }: Pick<TenantComputeSpec<DockerConfig>, 'config' | 'tenantId'>,
  { block, policy, writableHostPaths }: Rules,
): SharedVolumes {
  const { allowed_host_paths: allowedHostPaths } = policy;
  const rules = { labelPrefix: block.label_prefix, tenantId, allowedHostPaths, writableHostPaths };
  const operatorVolumes = block.volumes ?? [];
  return { volumes: parseVolumes(config.volumes ?? [], { ...rules, operatorVolumes }), rules };
}

export interface OwnOfContainer {
  readonly options: ContainerOptions | undefined;
  readonly volumes: readonly VolumeMount[];
  readonly labels: DockerConfig['labels'];
}

/** Throws InvalidSpec, naming the path, or PolicyDenied, naming the rule. */
export function ownOfContainer(asking: OptionsAsking, shared: SharedVolumes): OwnOfContainer {
  return {
    options: containerOptions(asking),
    volumes: volumesOf(asking, shared),
    labels: labelsOf(asking),
  };
}

function volumesOf(
  { name, asked, own }: OptionsAsking,
  { volumes, rules }: SharedVolumes,
): readonly VolumeMount[] {
  if (asked.volumes === undefined) return volumes;
  const path = `spec.computeConfig.docker.containers.${name}.volumes`;
  const operatorVolumes = own.volumes ?? [];
  return [...volumes, ...parseVolumes(asked.volumes, { ...rules, operatorVolumes, others: volumes, path })];
}

/** Undefined, as ever, where there are none: they are hashed. */
function labelsOf({ name, asked, config, block }: OptionsAsking): DockerConfig['labels'] {
  if (asked.labels === undefined) return config.labels;
  checkLabels(asked.labels, block.label_prefix, `containers.${name}.labels`);
  return { ...config.labels, ...asked.labels };
}
