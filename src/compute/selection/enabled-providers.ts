import { configDefaults, validateConfig } from './definition-config.ts';
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
  return validateConfig(definition, mergeConfig(configDefaults(definition, block), tenantBlock));
}
