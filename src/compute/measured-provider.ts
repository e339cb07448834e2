import { ComputeError } from './errors.ts';
import type { Provider } from './provider.ts';

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
    durable: provider.durable,
    needsSecretValues: provider.needsSecretValues,
    desire: (spec) => provider.desire(spec),
    validate: (spec, signal) => measure('validate', () => provider.validate(spec, signal)),
    provision: (spec, signal) => measure('provision', () => provider.provision(spec, signal)),
    update: (spec, signal, options) => measure('update', () => provider.update(spec, signal, options)),
    destroy: (ref, signal) => measure('destroy', () => provider.destroy(ref, signal)),
    getStatus: (ref, spec, signal) => measure('get_status', () => provider.getStatus(ref, spec, signal)),
    list: (signal) => measure('list', () => provider.list(signal)),
    watch: (onChange, signal) => provider.watch(onChange, signal),
    close: () => provider.close(),
  };
}
