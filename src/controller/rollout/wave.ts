/**
 * How many Tenants of one provider a change of the operator's own may be at work on at once, and who waits for that. What
 * is at work and what has failed, the statuses tell: a process that has just started knows it from them.
 */

export interface RolloutLimits {
  readonly maxConcurrent: number;
  /** With as many failures, nobody begins any more. */
  readonly maxFailures: number;
}

/** What a status says of its Tenant's part in it. */
export type RolloutState = 'Updating' | 'Failed';

export type Turn = 'go' | 'full' | 'halted';

export interface WaveCounts {
  readonly waiting: number;
  readonly inProgress: number;
  readonly failed: number;
  readonly halted: boolean;
}

/** Whether one more may begin. */
export function turnFor(
  { maxConcurrent, maxFailures }: RolloutLimits,
  { inProgress, failed }: Pick<WaveCounts, 'inProgress' | 'failed'>,
): Turn {
  if (failed >= maxFailures) return 'halted';
  return inProgress < maxConcurrent ? 'go' : 'full';
}

export interface Wave {
  /** Whether the Tenant may begin; where it may, its place is taken. Where it may not, it is woken once it may. */
  ask(key: string): Turn;
  /** What its status says. */
  note(key: string, state: RolloutState | undefined): void;
  /** The same, at the end of a pass: a place that it has not made use of is free again, and it waits only if it asked. */
  settle(key: string, state: RolloutState | undefined): void;
  /** It is no more. */
  forget(key: string): void;
  readonly counts: WaveCounts;
}

export interface WaveOptions {
  readonly limits: RolloutLimits;
  /** Its turn has come. `all`: what all who wait are told has changed, and they need not come at once. */
  readonly wake: (key: string, all: boolean) => void;
  readonly onCounts: (counts: WaveCounts) => void;
}

export function createWave(options: WaveOptions): Wave {
  return new LimitedWave(options);
}

class LimitedWave implements Wave {
  readonly #options: WaveOptions;
  readonly #states: Readonly<Record<RolloutState, Set<string>>> = { Updating: new Set(), Failed: new Set() };
  /** Those that were told to begin, of which no status says so yet. */
  readonly #called = new Set<string>();
  /** Those that have asked in a pass that goes on. */
  readonly #asking = new Set<string>();
  /** In the order of their coming. */
  readonly #waiting = new Set<string>();

  constructor(options: WaveOptions) {
    this.#options = options;
  }

  get counts(): WaveCounts {
    const { Updating, Failed } = this.#states;
    const failed = Failed.size;
    const inProgress = Updating.size + this.#called.size;
    const halted = failed >= this.#options.limits.maxFailures;
    return { waiting: this.#waiting.size, inProgress, failed, halted };
  }

  ask(key: string): Turn {
    this.#asking.add(key);
    if (this.#states.Updating.has(key)) return 'go';
    // The place that it was called for is its own.
    this.#called.delete(key);
    const turn = turnFor(this.#options.limits, this.counts);
    if (turn === 'go') this.#waiting.delete(key);
    (turn === 'go' ? this.#called : this.#waiting).add(key);
    this.#options.onCounts(this.counts);
    return turn;
  }

  note(key: string, state: RolloutState | undefined): void {
    const { halted } = this.counts;
    for (const [name, keys] of Object.entries(this.#states)) {
      if (name === state) keys.add(key);
      else keys.delete(key);
    }
    if (state !== undefined) {
      this.#called.delete(key);
      this.#waiting.delete(key);
    }
    if (halted === this.counts.halted) this.#callNext();
    else for (const one of this.#waiting) this.#options.wake(one, true);
    this.#options.onCounts(this.counts);
  }

  settle(key: string, state: RolloutState | undefined): void {
    // What it waited for is no more, or somebody else's doing.
    if (!this.#asking.delete(key)) this.#waiting.delete(key);
    this.#called.delete(key);
    this.note(key, state);
  }

  forget(key: string): void {
    this.#asking.delete(key);
    this.settle(key, undefined);
  }

  #callNext(): void {
    for (const key of this.#waiting) {
      if (turnFor(this.#options.limits, this.counts) !== 'go') return;
      this.#waiting.delete(key);
      this.#called.add(key);
      this.#options.wake(key, false);
    }
  }
}
