import { ComputeError } from '../../src/compute/errors.ts';
import type { MemoryEngine } from '../compute/providers/docker/memory-engine.ts';

/** Engines in memory, each behind an address or more. */

export interface Route {
  readonly address: string;
  /** By address; undefined: nothing answers there. */
  readonly routes: ReadonlyMap<string, MemoryEngine | undefined>;
  /** Whose members there are, also where nothing answers. */
  readonly stem: MemoryEngine;
}

/** A client of whatever engine is at that address when it calls. */
export function clientAt({ address, routes, stem }: Route): MemoryEngine {
  return new Proxy(stem, {
    get(_target, key) {
      if (key === 'address') return address;
      const engine = routes.get(address);
      const member: unknown = Reflect.get(engine ?? stem, key);
      if (engine !== undefined || typeof member !== 'function') return member;
      return () => {
        throw new ComputeError('ProviderUnavailable', `Docker Engine at ${address} does not answer`);
      };
    },
  });
}

/** What there is on an engine. */
export const statesOn = (engine: MemoryEngine) =>
  [...engine.containers.values()].map(({ name, state }) => `${name} ${state}`);
