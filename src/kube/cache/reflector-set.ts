import type { KubeObject } from '../client/kube-object.ts';
import { createReflector } from './reflector.ts';
import type { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './watch-loop.ts';

export type ReflectorSetOptions<T extends KubeObject> = Omit<ReflectorOptions<T>, 'namespace'> & {
  /** Empty for all namespaces, by one watch of the whole cluster. */
  readonly namespaces: readonly string[];
};

/** One reflector per namespace behind the interface of one: rights in those namespaces alone are enough. */
export function createReflectorSet<T extends KubeObject>(options: ReflectorSetOptions<T>): Reflector<T> {
  const { namespaces, ...shared } = options;
  if (namespaces.length === 0) return createReflector(shared);
  const reflectors = new Map(
    namespaces.map((namespace) => [namespace, createReflector({ ...shared, namespace })]),
  );
  const all = [...reflectors.values()];
  return {
    async run(signal) {
      await Promise.all(all.map((reflector) => reflector.run(signal)));
    },
    hasSynced: () => all.every((reflector) => reflector.hasSynced()),
    synced: Promise.all(all.map((reflector) => reflector.synced)).then(() => undefined),
    isConnected: () => all.every((reflector) => reflector.isConnected()),
    get: (namespace, name) => reflectors.get(namespace ?? '')?.get(namespace, name),
    *values() {
      for (const reflector of all) yield* reflector.values();
    },
    get size() {
      return all.reduce((sum, reflector) => sum + reflector.size, 0);
    },
    assume: (object) => reflectors.get(object.metadata.namespace ?? '')?.assume(object) ?? false,
  };
}
