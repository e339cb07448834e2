/** What a model is moved by: time, and chance that is the same again with the same seed. */

export interface VirtualClock {
  /** Milliseconds since the epoch. */
  now(): number;
  after(ms: number, act: () => void): void;
}

export interface Hands {
  readonly clock: VirtualClock;
  /** A number from `least` to below `most`. */
  readonly between: (least: number, most: number) => number;
  /** 32 hex digits. */
  readonly id: () => string;
}

/** `random` draws from 0 to below 1. */
export function handsOf(clock: VirtualClock, random: () => number): Hands {
  const digit = (): string => Math.floor(random() * 16).toString(16);
  return {
    clock,
    between: (least, most) => least + random() * (most - least),
    id: () => Array.from({ length: 32 }, digit).join(''),
  };
}
