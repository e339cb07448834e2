import type { Engine } from '../../../../src/compute/providers/docker/engine.ts';
import { writes } from './memory-engine.ts';

/** The process dies in a call: before the engine heard of it, or before its answer came back. */
export type When = 'before' | 'after';

/** The engine as a process sees it that dies at its `nth` write. */
export function dyingAt(engine: Engine, nth: number, when: When): { engine: Engine; died: () => boolean } {
  let count = 0;
  let dead = false;
  const die = (): never => {
    dead = true;
    throw new Error('killed');
  };
  const proxy = new Proxy(engine, {
    get(target, key) {
      const member = Reflect.get(target, key) as (...args: unknown[]) => Promise<unknown>;
      if (typeof key !== 'string' || typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        if (dead) return die();
        if (!writes.includes(key)) return member.apply(target, args);
        count += 1;
        if (count !== nth) return member.apply(target, args);
        // Whatever the engine answers, nobody hears it.
        if (when === 'after') await member.apply(target, args).catch(() => undefined);
        return die();
      };
    },
  });
  return { engine: proxy, died: () => dead };
}
