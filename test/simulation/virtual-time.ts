/**
 * One clock for a whole run: Date, timers and performance.now() stand still until the run moves them. It goes from one
 * timer to the next, and lets all promises settle in between, so that hours take milliseconds and an order of events
 * depends on the seed alone.
 */
export interface VirtualTime {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs all that is due within `ms`, one timer after the other. */
  advance(ms: number): Promise<void>;
  /** As `advance`, but ends as soon as `isOver` holds after a timer. */
  advanceUntil(ms: number, isOver: () => boolean): Promise<void>;
  /** Called after each timer, once everything that follows from it has happened. */
  onStep: () => void;
  /** Timers that have run. */
  readonly steps: number;
  /** Gives the process its own clock back. */
  uninstall(): void;
}

/** The instant at which each run begins. */
export const startOfRun = Date.parse('2026-01-01T00:00:00Z');

const realImmediate = globalThis.setImmediate;

const realRandom = Math.random;
let randomOfRun = realRandom;
// For good, and before anything of src is loaded: some of it keeps the function that it finds then.
Math.random = () => randomOfRun();

/** Lets all promises settle, at once: whatever they wait for then is a timer. Not from within one of them. */
const settle = Reflect.get(process, '_tickCallback') as () => void;

/** Takes the place of the process' clock, timers and random numbers until it is uninstalled. */
export function installVirtualTime(random: () => number): VirtualTime {
  const heap = createTimerHeap();
  let nowMs = startOfRun;
  const timers = virtualTimers(heap, () => nowMs);
  const runUntil = (endMs: number, isOver: () => boolean): void => {
    settle();
    for (let timer = heap.takeDue(endMs); timer !== undefined; timer = heap.takeDue(endMs)) {
      nowMs = Math.max(nowMs, timer.dueMs);
      time.steps += 1;
      timer.run();
      settle();
      time.onStep();
      if (isOver()) return;
    }
    nowMs = endMs;
  };
  const uninstall = replaceGlobals({ ...timers, now: () => nowMs, random });
  const time: VirtualTime & { steps: number } = {
    now: () => nowMs,
    steps: 0,
    onStep: () => undefined,
    advance: (ms) => time.advanceUntil(ms, () => false),
    advanceUntil: (ms, isOver) =>
      // Off the promise that asks for it: `settle` does nothing within one.
      new Promise((resolve, reject) => {
        realImmediate(() => {
          try {
            runUntil(nowMs + ms, isOver);
            resolve();
          } catch (error) {
            reject(error);
          }
        });
      }),
    uninstall,
  };
  return time;
}

class VirtualTimer {
  dueMs: number;
  /** Timers of one instant run in the order in which they were set. */
  order = 0;
  isSet = true;
  readonly #delayMs: number;
  readonly #callback: () => void;
  readonly #arm: (timer: VirtualTimer) => void;

  constructor(delayMs: number, callback: () => void, arm: (timer: VirtualTimer) => void) {
    this.#delayMs = delayMs;
    this.#callback = callback;
    this.#arm = arm;
    this.dueMs = 0;
    arm(this);
  }

  run(): void {
    this.isSet = false;
    this.#callback();
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  /** As Node's: the whole delay from now on, also where it has run. */
  refresh(): this {
    this.isSet = true;
    this.#arm(this);
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly timer: VirtualTimer;
}

interface TimerHeap {
  put(timer: VirtualTimer, dueMs: number): void;
  /** The first timer that is due by then; undefined: none is. */
  takeDue(nowMs: number): VirtualTimer | undefined;
}

/** A binary heap. What was cleared or set anew stays in it until it comes to the top. */
function createTimerHeap(): TimerHeap {
  const entries: Entry[] = [];
  let orders = 0;
  const isBefore = (a: Entry, b: Entry): boolean =>
    a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
  const at = (index: number): Entry => entries[index] as Entry;

  const pop = (): void => {
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && isBefore(at(child + 1), at(child))) child += 1;
      if (!isBefore(at(child), last)) break;
      entries[index] = at(child);
      index = child;
    }
    entries[index] = last;
  };

  return {
    put(timer, dueMs) {
      orders += 1;
      Object.assign(timer, { dueMs, order: orders });
      const entry = { dueMs, order: orders, timer };
      let index = entries.push(entry) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (!isBefore(entry, at(parent))) break;
        entries[index] = at(parent);
        index = parent;
      }
      entries[index] = entry;
    },
    takeDue(nowMs) {
      for (let first = entries[0]; first !== undefined && first.dueMs <= nowMs; first = entries[0]) {
        pop();
        if (first.timer.isSet && first.timer.order === first.order) return first.timer;
      }
      return undefined;
    },
  };
}

function virtualTimers(heap: TimerHeap, now: () => number) {
  const arm = (timer: VirtualTimer): void => heap.put(timer, now() + timer.delayMs);
  const clear = (timer: unknown): void => {
    if (timer instanceof VirtualTimer) timer.isSet = false;
  };
  // As Node's: no delay is shorter than a millisecond.
  const later = (callback: (...args: unknown[]) => void, ms = 1, ...args: unknown[]): VirtualTimer =>
    new VirtualTimer(Math.max(1, ms), () => callback(...args), arm);
  return {
    setTimeout: later,
    clearTimeout: clear,
    setImmediate: (callback: (...args: unknown[]) => void, ...args: unknown[]): VirtualTimer =>
      new VirtualTimer(0, () => callback(...args), arm),
    clearImmediate: clear,
  };
}

type Replacements = ReturnType<typeof virtualTimers> & {
  readonly now: () => number;
  readonly random: () => number;
};

function replaceGlobals({ now, random, ...timers }: Replacements): () => void {
  const { Date: RealDate } = globalThis;
  const kept = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setImmediate: globalThis.setImmediate,
    clearImmediate: globalThis.clearImmediate,
    Date: RealDate,
  };
  const realPerformanceNow = Reflect.get(performance, 'now');
  class VirtualDate extends RealDate {
    constructor(...args: [] | [number | string | Date]) {
      if (args.length === 0) super(now());
      else super(args[0]);
    }

    static override now(): number {
      return now();
    }
  }
  Object.assign(globalThis, timers, { Date: VirtualDate });
  performance.now = () => now() - startOfRun;
  randomOfRun = random;
  return () => {
    Object.assign(globalThis, kept);
    performance.now = realPerformanceNow;
    randomOfRun = realRandom;
  };
}
