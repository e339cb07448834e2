/** What a model is moved by: time, and chance that is the same again with the same seed. */

export interface VirtualClock {
  /** Milliseconds since the epoch. */
  now(): number;
  after(ms: number, act: () => void): void;
}

export interface Hands {
  readonly clock: VirtualClock;
  /** A whole number from `least` to below `most`: clocks tick in whole milliseconds. */
  readonly between: (least: number, most: number) => number;
  /** 32 hex digits. */
  readonly id: () => string;
}

/** Draws from 0 to below 1, the same again with the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `random` draws from 0 to below 1. */
export function handsOf(clock: VirtualClock, random: () => number): Hands {
  const digit = (): string => Math.floor(random() * 16).toString(16);
  return {
    clock,
    between: (least, most) => Math.floor(least + random() * (most - least)),
    id: () => Array.from({ length: 32 }, digit).join(''),
  };
}
