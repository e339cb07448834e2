import { configDefaults, validateConfig } from './definition-config.ts';
import { mergeConfig } from './merge-config.ts';
import type { ProviderReads } from '../fenced-provider.ts';
import type { Provider, ProviderDefinition } from '../provider.ts';

/** A provider that the operator's config has a block for. */
export interface EnabledProvider {
  readonly definition: ProviderDefinition;
  readonly provider: Provider;
  /** The operator's block, as parsed. */
  readonly block: Readonly<Record<string, unknown>>;
}

/** The same for those who may only look. */
export type EnabledReads = Omit<EnabledProvider, 'provider'> & { readonly provider: ProviderReads };

export type EnabledProviders = ReadonlyMap<string, EnabledProvider>;

type Config = Readonly<Record<string, unknown>>;

interface Merged extends Pick<EnabledProvider, 'definition' | 'block'> {
  readonly config: Config;
}

/** What was merged last, by the tenant's block: most passes are over the one of the pass before. */
const merged = new WeakMap<Config, Merged>();

/**
 * The tenant's block over the operator's defaults, checked as a whole. Neither block may be changed once it was here.
 * Throws ComputeError InvalidSpec, naming the path.
 */
export function tenantConfig({ definition, block }: EnabledReads, tenantBlock: Config): Config {
  const known = merged.get(tenantBlock);
  if (known?.definition === definition && known.block === block) return known.config;
  const config = validateConfig(definition, mergeConfig(configDefaults(definition, block), tenantBlock));
  merged.set(tenantBlock, { definition, block, config });
  return config;
}
