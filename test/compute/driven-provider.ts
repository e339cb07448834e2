import { anyPermit } from './permits.ts';
import type {
  Desired,
  DestroyResult,
  Looking,
  Observation,
  Provider,
  StepResult,
} from '../../src/compute/provider.ts';
import type { TenantComputeSpec } from '../../src/compute/spec/tenant-compute-spec.ts';

/** A provider driven by specs, as the controller does it: the desired state is computed, and everything permitted. */
export interface DrivenProvider<Spec> {
  readonly validate: (spec: Spec, signal: AbortSignal) => Promise<void>;
  readonly provision: (spec: Spec, signal: AbortSignal) => Promise<StepResult>;
  readonly update: (spec: Spec, signal: AbortSignal) => Promise<StepResult>;
  readonly hold: (spec: Spec, signal: AbortSignal) => Promise<StepResult>;
  /** At the place where the spec goes. */
  readonly destroy: (spec: Spec, signal: AbortSignal) => Promise<DestroyResult>;
  /** What runs at the place where the spec goes, and how it differs from it. */
  readonly getStatus: (spec: Spec, how: Looking) => Promise<Observation>;
  readonly list: (signal: AbortSignal) => ReturnType<Provider['list']>;
}

export function driven<D extends Desired, Config = Readonly<Record<string, unknown>>>(
  provider: Provider<D>,
): DrivenProvider<TenantComputeSpec<Config>> {
  const desired = (spec: TenantComputeSpec<Config>): D => provider.desired(spec as TenantComputeSpec);
  return {
    validate: async (spec, signal) => provider.validate(desired(spec), signal),
    provision: async (spec, signal) => provider.provision(desired(spec), anyPermit, signal),
    update: async (spec, signal) => provider.update(desired(spec), anyPermit, signal),
    hold: async (spec, signal) => provider.hold(desired(spec), anyPermit, signal),
    destroy: async (spec, signal) => provider.destroy(desired(spec), anyPermit, signal),
    getStatus: async (spec, how) => provider.getStatus(desired(spec), desired(spec), how),
    list: (signal) => provider.list(signal),
  };
}
