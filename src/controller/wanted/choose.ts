import type { TenantSpec } from '../../api/tenant.ts';
import type { EnabledProvider } from '../../compute/selection/enabled-providers.ts';
import { chosenProvider, domainAsked } from '../chosen-provider.ts';
import type { Whereabouts } from '../owned/owned-look.ts';
import type { Pass } from '../pass.ts';
import { ignoreComputeError } from '../steps/previous-placements.ts';

/** Throws as `chooseProvider` does. */
export function choose({ deps, tenant, draft }: Pass, spec: TenantSpec): EnabledProvider {
  const { metadata } = tenant;
  const name = chosenProvider({ metadata, spec, placement: draft.placement }, deps.providers);
  // It is the name of an enabled one.
  return deps.providers.get(name) as EnabledProvider;
}

/** Where it is to run, as far as that can be told. */
export function choosable(pass: Pass, spec: TenantSpec): Whereabouts | undefined {
  try {
    const enabled = choose(pass, spec);
    return { enabled, domain: listedDomain(enabled, pass, spec) };
  } catch (error) {
    return ignoreComputeError(error);
  }
}

/** One that can be listed by itself. */
function listedDomain(enabled: EnabledProvider, { tenant }: Pass, spec: TenantSpec): string | undefined {
  const domain = domainAsked(enabled, tenant.metadata, spec);
  return enabled.provider.domains?.find((one) => one === domain);
}
