import { withDeadline } from '../../../../async/deadline.ts';
import { ComputeError } from '../../../errors.ts';
import { isSilence, silentAboutOne, silentEngine } from './engine-errors.ts';
import type { EngineReads } from './engine.ts';

/**
 * Once the engine is out of reach, calls are refused at once, instead of each waiting for its own deadline, until the
 * watch has seen the engine answer. Without a watch nobody would, so nothing is refused. That a call fails does not tell
 * it: the engine is asked whether it answers at all.
 */
export interface EngineGuard<E extends EngineReads = EngineReads> {
  /** The engine whose calls are refused meanwhile. */
  readonly engine: E;
  /** Throws ProviderUnavailable while the engine is known to be out of reach. */
  check(): void;
  /** From now on somebody probes and calls `up`. `onDown`: the engine was just found not to answer. */
  arm(onDown: () => void): void;
  disarm(): void;
  down(error: ComputeError): void;
  isDown(): boolean;
  /** The engine answers. Returns whether it was down. */
  up(): boolean;
}

/** Pulls speak of registries, and the event stream is the watch's own. */
const neverRefused: ReadonlySet<string | symbol> = new Set([
  'pullImage',
  'askRegistry',
  'events',
  'imageEvents',
  'close',
]);

/**
 * One container, network, volume or image may be broken alone: the engine answers 500 to whoever asks about it, or
 * never, while it serves all else.
 */
const ofOneThing: ReadonlySet<string | symbol> = new Set([
  'inspectContainer',
  'lastOutput',
  'createContainer',
  'hasPath',
  'putFiles',
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
  'removeImage',
]);

function isTrouble(error: unknown): error is ComputeError {
  return error instanceof ComputeError && error.code === 'ProviderUnavailable';
}

/** Whether the engine itself said it. Else nothing came of the call. */
export function isAnswered({ cause }: ComputeError): boolean {
  return cause === undefined;
}

/** So long the engine may take to say that it is there, as beside the stream of events. */
const probeMs = 5_000;

/** Whether the engine answers at all. Those who ask at the same time share one question. */
function createProbe(engine: EngineReads): () => Promise<boolean> {
  let probing: Promise<boolean> | undefined;
  const ping = async (): Promise<boolean> => {
    try {
      const deadline = { timeoutMs: probeMs, late: () => silentEngine(engine.address) };
      await withDeadline(deadline, (signal) => engine.ping(signal));
      return true;
    } catch {
      return false;
    } finally {
      probing = undefined;
    }
  };
  return async () => (probing ??= ping());
}

type Call = (...args: unknown[]) => unknown;

export function guardEngine<E extends EngineReads>(engine: E): EngineGuard<E> {
  let failure: ComputeError | undefined;
  let notify: (() => void) | undefined;
  const answers = createProbe(engine);

  const check = (): void => {
    // A new one each time: callers may keep what they catch.
    if (failure !== undefined) throw new ComputeError(failure.code, failure.message, { cause: failure });
  };

  const takeDown = (error: ComputeError): void => {
    if (failure !== undefined || notify === undefined) return;
    failure = error;
    notify();
  };

  const guarded =
    (key: string | symbol, call: Call): Call =>
    async (...args) => {
      check();
      try {
        return await call.apply(engine, args);
      } catch (error) {
        const aborted = args.some((arg) => arg instanceof AbortSignal && arg.aborted);
        const isOfOne = ofOneThing.has(key);
        if (!isTrouble(error) || aborted || failure !== undefined || notify === undefined) throw error;
        if (isOfOne && isAnswered(error)) throw error;
        if (await answers()) throw isOfOne && isSilence(error) ? silentAboutOne(engine.address) : error;
        takeDown(error);
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
