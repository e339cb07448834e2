import { ComputeError } from '../../src/compute/errors.ts';

type Call = (...args: unknown[]) => unknown;

/** The engine in memory with the manners of a real client: a call whose signal has aborted reaches nothing. */
export function abortable<Engine extends object>(engine: Engine): Engine {
  return decorated(engine, (name, call, args) => {
    if (signalOf(args)?.aborted === true) throw abortedAt(name);
    return call(...args);
  });
}

/** The engine as a caller sees it while nothing answers: each call ends when its signal aborts, and no sooner. */
export function silent<Engine extends object>(engine: Engine): Engine {
  return decorated(engine, (name, _call, args) => {
    const { promise, reject } = Promise.withResolvers<never>();
    const signal = signalOf(args);
    signal?.addEventListener('abort', () => reject(abortedAt(name)));
    if (signal?.aborted === true) reject(abortedAt(name));
    // Whoever iterates it hears of the end there.
    promise.catch(() => undefined);
    return Object.assign(promise, {
      [Symbol.asyncIterator]: () => ({ next: () => promise }),
    });
  });
}

function decorated<Engine extends object>(
  engine: Engine,
  decorate: (name: string, call: Call, args: readonly unknown[]) => unknown,
): Engine {
  return new Proxy(engine, {
    get(target, key) {
      const member = Reflect.get(target, key) as unknown;
      if (typeof member !== 'function' || key === 'close') return member;
      return (...args: unknown[]) => decorate(String(key), member.bind(target) as Call, args);
    },
  });
}

function signalOf(args: readonly unknown[]): AbortSignal | undefined {
  return args.find((arg) => arg instanceof AbortSignal);
}

function abortedAt(name: string): ComputeError {
  return new ComputeError('ProviderUnavailable', `${name} was aborted`);
}
