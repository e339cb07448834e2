import { ComputeError } from './errors.ts';
import { located } from './place.ts';
import { resolvedImages } from './spec/resolved-images.ts';
import type { Destination, Provider } from './provider.ts';
import type { TenantComputeSpec } from './spec/tenant-compute-spec.ts';

/** `provider` as long as this process `mayAct`: no step begins once another process may have taken its place. */
export function fencedProvider(provider: Provider, mayAct: () => boolean): Provider {
  const step = async <T>(take: () => Promise<T>): Promise<T> => {
    if (mayAct()) return take();
    throw new ComputeError('ProviderUnavailable', 'this replica of the operator may not act any more');
  };
  return {
    name: provider.name,
    desired: (spec) => provider.desired(spec),
    ...(provider.domainOf && { domainOf: (at: Destination) => provider.domainOf?.(at) }),
    locate: async (placement, signal) => located(provider, placement, signal),
    ...(provider.resolveImages && {
      resolveImages: (spec: TenantComputeSpec, signal: AbortSignal) => resolvedImages(provider, spec, signal),
    }),
    validate: (desired, signal) => provider.validate(desired, signal),
    provision: (desired, permit, signal) => step(() => provider.provision(desired, permit, signal)),
    update: (desired, permit, signal) => step(() => provider.update(desired, permit, signal)),
    hold: (desired, permit, signal) => step(() => provider.hold(desired, permit, signal)),
    destroy: (at, permit, signal) => step(() => provider.destroy(at, permit, signal)),
    getStatus: (at, against, how) => provider.getStatus(at, against, how),
    ...(provider.domains && { domains: provider.domains }),
    ...(provider.capacity && { capacity: () => provider.capacity?.() ?? [] }),
    ...(provider.collectImages && {
      collectImages: (...asking: Parameters<NonNullable<Provider['collectImages']>>) =>
        step(async () => provider.collectImages?.(...asking)),
    }),
    list: (signal, domain) => provider.list(signal, domain),
    watch: (onChange, signal) => provider.watch(onChange, signal),
    close: () => provider.close(),
  };
}

/** What a provider can be asked without anything being changed by it. */
export type ProviderReads = Pick<
  Provider,
  'name' | 'desired' | 'locate' | 'resolveImages' | 'validate' | 'getStatus'
>;

/** `provider` for those who may only look: what could make a step is not there to be called. */
export function readsOf(provider: Provider): ProviderReads {
  return {
    name: provider.name,
    desired: (spec) => provider.desired(spec),
    locate: async (placement, signal) => located(provider, placement, signal),
    resolveImages: (spec, signal) => resolvedImages(provider, spec, signal),
    validate: (desired, signal) => provider.validate(desired, signal),
    getStatus: (at, against, how) => provider.getStatus(at, against, how),
  };
}
