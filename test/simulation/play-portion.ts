import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from './run.ts';

/** The seeds that the workers of `npm run simulate` play: each takes the next one, so that they end together. */
export interface Portion {
  readonly from: number;
  readonly count: number;
  /** How many of them were taken so far, by all workers. */
  readonly taken: Int32Array<SharedArrayBuffer>;
  /** Whether nothing is left out, known faults neither. */
  readonly all: boolean;
}

export interface Played {
  readonly broken: readonly (readonly [seed: number, invariant: string])[];
  /** Timers that ran. */
  readonly steps: number;
}

const { from, count, taken, all } = workerData as Portion;
const leftOut = all ? new Set<string>() : undefined;
const broken: [number, string][] = [];
let steps = 0;
for (let index = Atomics.add(taken, 0, 1); index < count; index = Atomics.add(taken, 0, 1)) {
  const seed = from + index;
  const run = await simulate(seed, leftOut);
  steps += run.steps;
  for (const { name } of run.violations) broken.push([seed, name]);
}
parentPort?.postMessage({ broken, steps } satisfies Played);
