import type { Placement } from '../api/status.ts';
import { ComputeError } from './errors.ts';
import { located } from './place.ts';
import { resolvedImages } from './spec/resolved-images.ts';
import type { Destination, Provider } from './provider.ts';
import type { TenantComputeSpec } from './spec/tenant-compute-spec.ts';

/** Called at the end of each operation: `result` is `ok` or the error's code. */
export type OnOperation = (operation: string, result: string, durationMs: number) => void;

/** `provider` with its operations measured, so that metrics stay out of the providers. */
export function measuredProvider(provider: Provider, onOperation: OnOperation): Provider {
  const measure = async <T>(operation: string, run: () => Promise<T>): Promise<T> => {
    const startedAtMs = performance.now();
    let result = 'ok';
    try {
      return await run();
    } catch (error) {
      result = error instanceof ComputeError ? error.code : 'bug';
      throw error;
    } finally {
      onOperation(operation, result, performance.now() - startedAtMs);
    }
  };
  return {
    name: provider.name,
    desired: (spec) => provider.desired(spec),
    ...(provider.domainOf && { domainOf: (at: Destination) => provider.domainOf?.(at) }),
    ...(provider.locate && {
      locate: (placement: Placement, signal: AbortSignal) =>
        measure('locate', () => located(provider, placement, signal)),
    }),
    ...(provider.resolveImages && {
      resolveImages: (spec: TenantComputeSpec, signal: AbortSignal) =>
        measure('resolve_images', () => resolvedImages(provider, spec, signal)),
    }),
    validate: (desired, signal) => measure('validate', () => provider.validate(desired, signal)),
    provision: (desired, permit, signal) =>
      measure('provision', () => provider.provision(desired, permit, signal)),
    update: (desired, permit, signal) => measure('update', () => provider.update(desired, permit, signal)),
    hold: (desired, permit, signal) => measure('hold', () => provider.hold(desired, permit, signal)),
    destroy: (at, permit, signal) => measure('destroy', () => provider.destroy(at, permit, signal)),
    getStatus: (at, against, how) => measure('get_status', () => provider.getStatus(at, against, how)),
    ...(provider.domains && { domains: provider.domains }),
    ...(provider.capacity && { capacity: () => provider.capacity?.() ?? [] }),
    ...(provider.collectImages && {
      collectImages: (...asking: Parameters<NonNullable<Provider['collectImages']>>) =>
        measure('collect_images', async () => provider.collectImages?.(...asking)),
    }),
    list: (signal, domain) => measure('list', () => provider.list(signal, domain)),
    watch: (onChange, signal) => provider.watch(onChange, signal),
    close: () => provider.close(),
  };
}
