import { ComputeError } from '../../../errors.ts';
import type { EngineReads } from './engine.ts';

/**
 * Once a call has found the engine out of reach, the next ones are refused at once, instead of each waiting for its
 * own deadline, until the watch has seen the engine answer. Without a watch nobody would, so nothing is refused.
 */
export interface EngineGuard<E extends EngineReads = EngineReads> {
  /** The engine whose calls are refused meanwhile. */
  readonly engine: E;
  /** Throws ProviderUnavailable while the engine is known to be out of reach. */
  check(): void;
  /** From now on somebody probes and calls `up`. `onDown`: a call has just failed. */
  arm(onDown: () => void): void;
  disarm(): void;
  down(error: ComputeError): void;
  isDown(): boolean;
  /** The engine answers. Returns whether it was down. */
  up(): boolean;
}

/** Pulls speak of registries, and the event stream is the watch's own. */
const neverRefused: ReadonlySet<string | symbol> = new Set(['pullImage', 'askRegistry', 'events', 'close']);

/**
 * One container, network, volume or image may be broken alone: the engine answers 500 to whoever asks about it, or
 * never, while it serves all else.
 */
const ofOneThing: ReadonlySet<string | symbol> = new Set([
  'inspectContainer',
  'lastOutput',
  'createContainer',
  'startContainer',
  'unpauseContainer',
  'stopContainer',
  'removeContainer',
  'renameContainer',
  'updateContainer',
  'inspectNetwork',
  'createNetwork',
  'removeNetwork',
  'connectContainer',
  'disconnectContainer',
  'inspectVolume',
  'createVolume',
  'removeVolume',
  'inspectImage',
]);

function isOutOfReach(error: unknown, key: string | symbol): error is ComputeError {
  if (!(error instanceof ComputeError) || error.code !== 'ProviderUnavailable') return false;
  return !ofOneThing.has(key) || !isAnswered(error);
}

/** Whether the engine itself took the call, as it was asked about one thing. Else it is the connection that failed. */
export function isAnswered({ cause }: ComputeError): boolean {
  return cause === undefined;
}

type Call = (...args: unknown[]) => unknown;

export function guardEngine<E extends EngineReads>(engine: E): EngineGuard<E> {
  let failure: ComputeError | undefined;
  let notify: (() => void) | undefined;

  const check = (): void => {
    // A new one each time: callers may keep what they catch.
    if (failure !== undefined) throw new ComputeError(failure.code, failure.message, { cause: failure });
  };

  const guarded =
    (key: string | symbol, call: Call): Call =>
    async (...args) => {
      check();
      try {
        return await call.apply(engine, args);
      } catch (error) {
        const aborted = args.some((arg) => arg instanceof AbortSignal && arg.aborted);
        if (isOutOfReach(error, key) && !aborted && notify !== undefined && failure === undefined) {
          failure = error;
          notify();
        }
        throw error;
      }
    };

  return {
    engine: new Proxy(engine, {
      get(target, key) {
        const member = Reflect.get(target, key) as unknown;
        if (typeof member !== 'function') return member;
        return neverRefused.has(key) ? member.bind(target) : guarded(key, member as Call);
      },
    }),
    check,
    arm: (onDown) => void (notify = onDown),
    disarm() {
      notify = undefined;
      failure = undefined;
    },
    down: (error) => void (failure ??= error),
    isDown: () => failure !== undefined,
    up() {
      const wasDown = failure !== undefined;
      failure = undefined;
      return wasDown;
    },
  };
}
