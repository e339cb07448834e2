import { redactExcerpt } from '../../../../observation/redact.ts';
import { EngineRefusal } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';

type Call = (...args: unknown[]) => unknown;

/** The engine, with what it refuses told without these values: it may repeat what it was given, and that may be cut. */
export function discreetEngine(engine: Engine, secrets: readonly string[]): Engine {
  if (secrets.length === 0) return engine;
  const discreet =
    (call: Call): Call =>
    async (...args) => {
      try {
        return await call.apply(engine, args);
      } catch (error) {
        if (!(error instanceof EngineRefusal)) throw error;
        throw new EngineRefusal(error.kind, error.statusCode, redactExcerpt(error.message, secrets));
      }
    };
  return new Proxy(engine, {
    get(target, key) {
      const member = Reflect.get(target, key) as unknown;
      if (typeof member !== 'function') return member;
      return key === 'events' || key === 'imageEvents' || key === 'close'
        ? member.bind(target)
        : discreet(member as Call);
    },
  });
}
