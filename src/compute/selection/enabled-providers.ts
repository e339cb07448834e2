import { explainIssues } from '../../api/explain-issues.ts';
import { ComputeError } from '../errors.ts';
import { mergeConfig } from './merge-config.ts';
import type { Provider, ProviderDefinition } from '../provider.ts';

/** A provider that the operator's config has a block for. */
export interface EnabledProvider {
  readonly definition: ProviderDefinition;
  readonly provider: Provider;
  /** The operator's block, as parsed. */
  readonly block: Readonly<Record<string, unknown>>;
}

export type EnabledProviders = ReadonlyMap<string, EnabledProvider>;

/**
 * The tenant's block over the operator's defaults, checked as a whole.
 * Throws ComputeError InvalidSpec, naming the path.
 */
export function tenantConfig(
  { definition, block }: EnabledProvider,
  tenantBlock: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { name, sharedKeys, mergedBlock } = definition;
  const defaults = Object.fromEntries(sharedKeys.flatMap((key) => (key in block ? [[key, block[key]]] : [])));
  const parsed = mergedBlock.safeParse(mergeConfig(defaults, tenantBlock));
  if (!parsed.success) {
    throw new ComputeError('InvalidSpec', explainIssues(parsed.error, `spec.computeConfig.${name}`));
  }
  return parsed.data as Readonly<Record<string, unknown>>;
}
