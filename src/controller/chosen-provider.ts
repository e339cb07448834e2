import type { Placement } from '../api/status.ts';
import type { Tenant, TenantSpec } from '../api/tenant.ts';
import { chooseProvider } from '../compute/selection/choose-provider.ts';
import { configDefaults } from '../compute/selection/definition-config.ts';
import type { EnabledProvider, EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { labelledBlock } from '../compute/selection/labelled-block.ts';
import { mergeConfig } from '../compute/selection/merge-config.ts';

/** What of a Tenant decides which provider it runs on. */
export interface Choosing extends Pick<Tenant, 'metadata'> {
  readonly spec: Partial<TenantSpec>;
  readonly placement: Placement | undefined;
}

/** The name of an enabled one. Throws as `chooseProvider` does. */
export function chosenProvider(
  { metadata, spec, placement }: Choosing,
  providers: Pick<EnabledProviders, 'keys'>,
): string {
  return chooseProvider({
    computeProvider: spec.computeProvider,
    labels: metadata.labels,
    annotations: metadata.annotations,
    blocks: Object.keys(spec.computeConfig ?? {}),
    placedOn: placement?.provider,
    enabled: [...providers.keys()],
  });
}

/** `Desired.domain` of what it asks for there, as far as that can be told ahead. */
export function domainAsked(
  { definition, block, provider }: EnabledProvider,
  metadata: Tenant['metadata'],
  { computeConfig }: Partial<TenantSpec>,
): string | undefined {
  if (provider.domainOf === undefined) return undefined;
  const own = labelledBlock(definition, metadata, computeConfig?.[definition.name]);
  // Unchecked: whether it is sound is the pass' to say.
  return provider.domainOf({ config: mergeConfig(configDefaults(definition, block), own) });
}
