import { ComputeError } from '../../errors.ts';
import type { CreateProvider, Provider } from '../../provider.ts';

const message =
  'this version of Landlord checks ECS configuration but does not drive ECS yet. Choose another provider for the tenant';

/** The seam for ECS: its configuration is checked, every operation says that it is not there yet. */
export const createEcsProvider: CreateProvider = (): Provider => {
  const refuse = (): never => {
    throw new ComputeError('ProviderUnavailable', message);
  };
  const reject = async (): Promise<never> => refuse();
  return {
    name: 'ecs',
    durable: true,
    needsSecretValues: false,
    desire: refuse,
    validate: reject,
    provision: reject,
    update: reject,
    destroy: reject,
    getStatus: reject,
    list: async () => [],
    watch: async () => undefined,
    close: async () => undefined,
  };
};
