import { ownershipOf } from '../../ownership.ts';
import { policyOf, widestPolicy } from '../../policy-by-namespace.ts';
import type { ProviderContext } from '../../provider.ts';
import type { DockerOperatorBlock, DockerPolicy } from './config.ts';
import { writablePaths } from './state/confinement/host-paths.ts';
import type { DockerSettings, EngineSettings } from './state/desired-tenant.ts';

/** What the parts of a provider are told of the operator's config. */

interface Identity extends Pick<ProviderContext, 'instance' | 'clusterUid' | 'hashKey'> {
  readonly engineName?: string;
}

export function settingsOf(
  block: DockerOperatorBlock,
  { instance, clusterUid, hashKey, engineName = '' }: Identity,
): EngineSettings {
  const owner = { instance, clusterUid, adoptClusters: block.adopt_clusters };
  return { engineName, block, ownership: ownershipOf(owner, 'docker', block.label_prefix), hashKey };
}

export function settingsByNamespace(
  settings: EngineSettings,
  own: DockerPolicy,
  { policy }: Pick<ProviderContext, 'policy'>,
): (namespace: string) => DockerSettings {
  const rules = policyOf(policy, 'docker', own);
  const ofAll = widestPolicy(policy, 'docker', own);
  const writableHostPaths = writablePaths(ofAll.allowed_host_paths);
  return (namespace) => ({ ...settings, writableHostPaths, ...rules(namespace) });
}
