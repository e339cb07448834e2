/** How many seeds a whole run plays, and over how many files they are spread, so that every core has some. */
export const figures = { seeds: 10_000, shards: 8 } as const;

/** Seeds that failed once, each with what was broken then. They are played in every run. */
export const failedOnce: readonly (readonly [seed: number, invariant: string])[] = [];

export interface KnownFault {
  /** What is broken by it. */
  readonly invariant: string;
  /** Of which runs; absent: of all. */
  readonly detail?: RegExp;
  readonly why: string;
}

/** What is known to be wrong and not yet mended: it fails no run. Empty is as it should be. */
export const knownFaults: readonly KnownFault[] = [];
