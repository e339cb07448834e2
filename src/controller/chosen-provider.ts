import type { Placement } from '../api/status.ts';
import type { Tenant, TenantSpec } from '../api/tenant.ts';
import { chooseProvider } from '../compute/selection/choose-provider.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';

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
