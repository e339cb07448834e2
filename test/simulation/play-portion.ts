import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from './run.ts';

/** The seeds that one worker of `npm run simulate` plays. */
export interface Portion {
  readonly from: number;
  /** Not played any more. */
  readonly until: number;
  readonly stride: number;
  /** Whether nothing is left out, known faults neither. */
  readonly all: boolean;
}

export interface Played {
  readonly broken: readonly (readonly [seed: number, invariant: string])[];
  /** Timers that ran. */
  readonly steps: number;
}

const { from, until, stride, all } = workerData as Portion;
const leftOut = all ? new Set<string>() : undefined;
const broken: [number, string][] = [];
let steps = 0;
for (let seed = from; seed < until; seed += stride) {
  const run = await simulate(seed, leftOut);
  steps += run.steps;
  for (const { name } of run.violations) broken.push([seed, name]);
}
parentPort?.postMessage({ broken, steps } satisfies Played);
