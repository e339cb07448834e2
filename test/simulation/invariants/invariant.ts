import type { Observer, World } from '../world.ts';

/** A promise that holds after every step of every run. */
export interface Invariant {
  readonly name: string;
  /** In words, for the one who reads a failure. */
  readonly promise: string;
  watch(world: World, broken: (detail: string) => void): Watching;
}

export interface Watching extends Observer {
  /** Everything has been well for long enough: what is the case now is what it comes to. */
  atEnd?(): void | Promise<void>;
  /** As `atEnd`, after hours without a cause for anything. */
  afterQuiet?(): void;
}

export interface Violation {
  readonly name: string;
  readonly promise: string;
  readonly detail: string;
  readonly atMs: number;
}
