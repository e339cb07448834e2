import type { Tenant, TenantSpec } from '../api/tenant.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { chosenProvider, domainAsked } from './chosen-provider.ts';
import type { Choosing } from './chosen-provider.ts';

/**
 * Whose failure a pass over the Tenant would share, as far as that can be told before it: what hangs must not keep the
 * others' workers busy. A wrong guess costs that and nothing else. '' where no provider can be told yet: such a pass ends
 * without calling any.
 */
export function createTenantLanes(providers: EnabledProviders): (tenant: Tenant | undefined) => string {
  // A version of a Tenant is asked for as often as something happens to it.
  const lanes = new WeakMap<Tenant, string>();
  return (tenant) => {
    if (tenant === undefined) return '';
    const lane = lanes.get(tenant) ?? guessedLane(tenant, providers);
    lanes.set(tenant, lane);
    return lane;
  };
}

function guessedLane({ metadata, status, spec: stored }: Tenant, providers: EnabledProviders): string {
  const placement = status?.placement;
  const spec = (stored ?? {}) as Partial<TenantSpec>;
  const isLeft = metadata.deletionTimestamp !== undefined;
  const name = isLeft ? placement?.provider : chosen({ metadata, spec, placement }, providers);
  const enabled = name === undefined ? undefined : providers.get(name);
  if (name === undefined || enabled === undefined) return name ?? '';
  const there = placement?.provider === name ? placement : undefined;
  // Nothing is driven then: where it is, is all that counts.
  const isStill = isLeft || (spec.suspend === true && there !== undefined);
  const domain =
    (isStill ? undefined : domainAsked(enabled, metadata, spec)) ??
    (there && enabled.provider.domainOf?.({ placement: there }));
  return domain === undefined ? name : `${name} ${domain}`.trimEnd();
}

function chosen({ metadata, spec, placement }: Choosing, providers: EnabledProviders): string | undefined {
  try {
    return chosenProvider({ metadata, spec, placement }, providers);
  } catch {
    return undefined;
  }
}
