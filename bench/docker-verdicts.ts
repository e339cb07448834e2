import { atLeast, atMost, figure } from './verdict.ts';
import type { Verdict } from './verdict.ts';

const rateAtLeast = 0.9;
const costAtMost = 1.15;
const listsAtMost = 1;
const firstEditAtMost = 2;

const phases = ['create', 'replace', 'remove'] as const;
type Phase = (typeof phases)[number];

export type Seconds = Readonly<Record<Phase, number>>;

/** What one container takes. */
export interface Cost {
  /** To the engine. */
  readonly calls: number;
  /** Of the operator's CPU. */
  readonly cpuMs: number;
}

/** What was seen of the operator. */
export interface Operated {
  readonly count: number;
  readonly seconds: Seconds;
  readonly costs: Readonly<Record<Phase, Cost>>;
  readonly sweepCalls: readonly string[];
  readonly restartCalls: readonly string[];
  /** From the start of the operator to the start of the container that an edit made meanwhile wants, in seconds. */
  readonly firstEdit: number;
}

/** The operator beside the bare loop, and at a restart. */
export function rateVerdicts(bare: Seconds, ours: Operated): readonly Verdict[] {
  const { count, restartCalls, firstEdit } = ours;
  const rates = phases.map((phase) => {
    const took = `${ours.seconds[phase].toFixed(1)} s, bare loop ${bare[phase].toFixed(1)} s`;
    const { calls, cpuMs } = ours.costs[phase];
    const title = `${phase} ${count}, ${took}, ${calls.toFixed(1)} calls and ${cpuMs.toFixed(0)} ms of CPU each: of its rate`;
    const rate = bare[phase] / ours.seconds[phase];
    // Until a Tenant is gone, more than its container has to be.
    return phase === 'remove' ? figure(title, rate) : atLeast(title, rate, rateAtLeast);
  });
  const lists = restartCalls.filter((call) => call === 'GET /containers/json').length;
  return [
    ...rates,
    atMost(`lists of containers in a restart over ${count}`, lists, listsAtMost),
    atMost(`first edit applied after a restart over ${count}, s`, firstEdit, firstEditAtMost),
  ];
}

/** What one costs among most, times what it costs among fewest. */
export function costVerdicts(fewest: Operated, most: Operated): readonly Verdict[] {
  return phases.flatMap((phase) => {
    const ratio = (cost: keyof Cost) => most.costs[phase][cost] / fewest.costs[phase][cost];
    const title = (what: string) =>
      `${what} for each ${phase} at ${most.count}, times that at ${fewest.count}`;
    return [
      atMost(title('calls'), ratio('calls'), costAtMost),
      atMost(title('CPU of the operator'), ratio('cpuMs'), costAtMost),
    ];
  });
}
