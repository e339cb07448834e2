import type { KubeObject } from '../client/kube-object.ts';
import { createReflector } from './reflector.ts';
import type { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './watch-loop.ts';

export type ReflectorSetOptions<T extends KubeObject> = Omit<ReflectorOptions<T>, 'namespace'> & {
  /** Empty for all namespaces, by one watch of the whole cluster. */
  readonly namespaces: readonly string[];
};

export interface ReflectorSet<T extends KubeObject> extends Reflector<T> {
  /** The one that follows that namespace; undefined: none does. */
  of(namespace: string): Reflector<T> | undefined;
}

/**
 * One reflector per namespace behind the interface of one: rights in those namespaces alone are enough. A namespace that the
 * apiserver refuses holds up none of the others: the set has synced once each of them has, or is refused, and one at least has.
 */
export function createReflectorSet<T extends KubeObject>(options: ReflectorSetOptions<T>): ReflectorSet<T> {
  const { namespaces, ...shared } = options;
  if (namespaces.length === 0) return setOfOne(createReflector(shared));
  const reflectors = new Map(
    namespaces.map((namespace) => [namespace, createReflector({ ...shared, namespace })]),
  );
  const all = [...reflectors.values()];
  const settled = Promise.all(all.map((one) => one.settled)).then(() => undefined);
  const isKnown = (one: Reflector<T>): boolean => one.hasSynced() || one.refusals().length > 0;
  const first = Promise.race(all.map((one) => one.synced));
  return {
    async run(signal) {
      await Promise.all(all.map((reflector) => reflector.run(signal)));
    },
    hasSynced: () => all.every(isKnown) && all.some((one) => one.hasSynced()),
    synced: Promise.all([settled, first]).then(() => undefined),
    settled,
    of: (namespace) => reflectors.get(namespace),
    refusals: () => all.flatMap((one) => one.refusals()),
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

function setOfOne<T extends KubeObject>(reflector: Reflector<T>): ReflectorSet<T> {
  return Object.assign(reflector, { of: () => reflector });
}
