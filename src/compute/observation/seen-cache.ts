/**
 * What was seen of each thing, and whether something may have happened to it since. Calls nothing, and forgetting
 * costs only looks.
 *
 * Its clock is logical: it ticks with each `touch`. Whoever asks an engine takes a moment before the question and
 * hands it over with the answer, so that an answer which was already under way when something happened is not taken
 * for the state after it, however slow it was and whatever the wall clock does meanwhile.
 */
export interface SeenCache<T> {
  /** Now, by the logical clock: take it before asking. */
  moment(): number;
  /** Something happened to it: what is known of it is stale. */
  touch(key: string): void;
  /** Whether something happened to it after `moment`. */
  isStale(key: string, moment: number): boolean;
  /** Takes in an answer, unless that to a later question is there already. Returns whether it did. */
  store(key: string, value: T, moment: number): boolean;
  /** The last answer, stale or not. */
  last(key: string): Seen<T> | undefined;
  /** The last answer, unless something happened since. */
  fresh(key: string): Seen<T> | undefined;
  /** Drops all that is known of it. */
  forget(key: string): void;
  entries(): IterableIterator<[string, Seen<T>]>;
}

export interface Seen<T> {
  readonly value: T;
  /** When the question was asked that this answers. */
  readonly moment: number;
}

export function createSeenCache<T>(): SeenCache<T> {
  const seen = new Map<string, Seen<T>>();
  const touched = new Map<string, number>();
  let now = 0;

  const isStale = (key: string, moment: number): boolean => (touched.get(key) ?? 0) > moment;

  return {
    moment: () => now,
    touch(key) {
      now += 1;
      touched.set(key, now);
    },
    isStale,
    store(key, value, moment) {
      if ((seen.get(key)?.moment ?? -1) > moment) return false;
      seen.set(key, { value, moment });
      return true;
    },
    last: (key) => seen.get(key),
    fresh(key) {
      const entry = seen.get(key);
      return entry === undefined || isStale(key, entry.moment) ? undefined : entry;
    },
    forget(key) {
      seen.delete(key);
      touched.delete(key);
    },
    entries: () => seen.entries(),
  };
}
