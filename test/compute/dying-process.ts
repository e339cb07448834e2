import { isThorough } from '../thorough.ts';

/** The process dies in a write: before anybody heard of it, or before its answer came back. */
export type When = 'before' | 'after';

/** At the `write`-th write, from 1. */
export interface Death {
  readonly write: number;
  readonly when: When;
  /** Only writes of this name count. */
  readonly of?: string;
}

export const never: Death = { write: Infinity, when: 'before' };

/**
 * Every death that leaves the outside in a state of its own; the process that makes fewer writes survives. Reads need
 * none, and from the second write on neither does "before": until the next write the outside stays as the last one
 * left it.
 */
export function* deaths(): Generator<Death> {
  yield { write: 1, when: 'before' };
  for (let write = 1; ; write += 1) yield { write, when: 'after' };
}

/** Every third of the deaths, in each case other ones; all of them where `isThorough`. `index`: of the case, from 0. */
export function chosenDeaths(index: number): IteratorObject<Death> {
  const stride = isThorough ? 1 : 3;
  return deaths().filter((_death, number) => number % stride === index % stride);
}

/** A process that dies. What it is given to work with is seen through it. */
export interface DyingProcess {
  /** `target` as the process sees it. `writeOf` names the calls that change something. */
  seeing<T extends object>(
    target: T,
    writeOf: (method: string, args: readonly unknown[]) => string | undefined,
  ): T;
  /** Names of its writes so far, the deadly one included. */
  readonly writes: readonly string[];
  hasDied(): boolean;
  /** Resolves with the name of the write that it died in. */
  readonly died: Promise<string>;
}

class Killed extends Error {}

/** For `catch`: swallows the death, which comes wrapped at times, and nothing else. */
export function onlyDeath(error: unknown): undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Killed) return undefined;
  }
  throw error;
}

type Call = (...args: unknown[]) => unknown;

export function dyingProcess(death: Death): DyingProcess {
  const { promise: died, resolve } = Promise.withResolvers<string>();
  const writes: string[] = [];
  let dead = false;
  const die = (name: string): never => {
    dead = true;
    resolve(name);
    throw new Killed();
  };
  const alive = (): void => {
    if (dead) throw new Killed();
  };
  const heard = async (answer: Promise<unknown>): Promise<unknown> => {
    try {
      return await answer;
    } finally {
      alive();
    }
  };
  const write = async (name: string, call: () => unknown): Promise<unknown> => {
    alive();
    writes.push(name);
    const { of = name } = death;
    const count = death.of === undefined ? writes.length : writes.filter((one) => one === of).length;
    const isDeadly = of === name && count === death.write;
    if (isDeadly && death.when === 'before') die(name);
    const answer = Promise.resolve(call());
    // Whatever the answer is, a refusal too, nobody hears it.
    if (isDeadly)
      await answer.then(
        () => die(name),
        () => die(name),
      );
    return heard(answer);
  };
  return {
    writes,
    died,
    hasDied: () => dead,
    seeing: (target, writeOf) =>
      new Proxy(target, {
        get(_target, method) {
          const member: unknown = Reflect.get(target, method);
          if (typeof method !== 'string' || typeof member !== 'function') return member;
          return (...args: unknown[]) => {
            const call = (): unknown => (member as Call).apply(target, args);
            const name = writeOf(method, args);
            if (name !== undefined) return write(name, call);
            const answer = call();
            return answer instanceof Promise ? heard(answer) : answer;
          };
        },
      }),
  };
}

/** How many walks over any specs with deaths at any writes a test plays. CRASH_WALKS: another number, as CI asks for. */
export const walks = Number(process.env['CRASH_WALKS'] ?? 150);
