/** `low` waits behind all others: for sweeps. */
export type Priority = 'normal' | 'low';

/** The waiting keys of one lane, in order of arrival, and how many of its workers are busy. */
export interface WorkLane {
  busy: number;
  readonly size: number;
  /** Keeps the time at which a key that waits already came; low never takes a key's urgency away. */
  put(key: string, priority: Priority, nowMs: number): void;
  /** Takes a key out, wherever it waits. */
  remove(key: string): Waiting | undefined;
  /** The next one's key. */
  next(): string | undefined;
}

export interface Waiting {
  readonly priority: Priority;
  readonly sinceMs: number;
}

/** Every eighth pass goes to the sweep where one waits: busy users can't starve it. */
const lowPriorityEvery = 8;

export function createWorkLane(): WorkLane {
  const normal = new Map<string, number>();
  const low = new Map<string, number>();
  let taken = 0;

  const remove = (key: string): Waiting | undefined => {
    for (const [priority, keys] of [
      ['normal', normal],
      ['low', low],
    ] as const) {
      const sinceMs = keys.get(key);
      if (sinceMs === undefined) continue;
      keys.delete(key);
      return { priority, sinceMs };
    }
    return undefined;
  };

  return {
    busy: 0,
    get size() {
      return normal.size + low.size;
    },
    put(key, priority, nowMs) {
      if (normal.has(key) || (priority === 'low' && low.has(key))) return;
      const sinceMs = remove(key)?.sinceMs ?? nowMs;
      (priority === 'normal' ? normal : low).set(key, sinceMs);
    },
    remove,
    next() {
      taken += 1;
      const lowFirst = taken % lowPriorityEvery === 0;
      const [first, second] = lowFirst ? [low, normal] : [normal, low];
      return first.keys().next().value ?? second.keys().next().value;
    },
  };
}
