/**
 * How many seeds a run of the tests plays, and over how many files they are spread, so that every core has some.
 * `npm run simulate -- --count 10000` plays more: they take longer than everything else that needs no engine.
 */
export const figures = { seeds: 60, shards: 2 } as const;

/** Seeds that failed once, each with what was broken then. They are played in every run. */
export const failedOnce: readonly (readonly [seed: number, invariant: string])[] = [
  [4303, 'readyIsTrue'],
  [40, 'silenceSaysNothing'],
  [6241, 'finalizerLast'],
  [453, 'suspendedShows'],
  [691, 'whatCannotRunSaysSo'],
  [1035, 'rejectedForItsOwnFault'],
  [5655, 'quietCostsNothing'],
  [10138, 'oneServes'],
  [222, 'leavesReportedAlone'],
  [25, 'changesLittle'],
  [2850, 'successorFirst'],
  [6919, 'readyIsTrue'],
  [6188, 'readyIsTrue'],
  [5790, 'whatCanRunRuns'],
  [3836, 'finalizerLast'],
  [1254, 'changesLittle'],
  [4658, 'changesLittle'],
  [3988, 'readyIsTrue'],
  [8470, 'writesLittle'],
  [6719, 'asksLittle'],
  [4152, 'namesLeadToProven'],
  [10862, 'rejectedForItsOwnFault'],
  [1199, 'nothingIsLeft'],
  [3916, 'readyIsKept'],
  [7794, 'readyIsTrue'],
  [5423, 'othersRunOn'],
  [3364, 'nothingIsLeft'],
  [4880, 'whatCanRunRuns'],
  [1117, 'namesLeadToProven'],
];

/** What a scenario leaves out, and the fault of the product that is known to show where it does not. */
export interface KnownFault {
  /** An action of a scenario, one of its circumstances (`skew`, `limits`, `jobs`, `crowds`, `order`, `releases`, `replicas`, `guests`), or an invariant. */
  readonly leavesOut: string;
  readonly why: string;
}

/** Empty is as it should be; `npm run simulate -- --all` plays as if it were. */
export const knownFaults: readonly KnownFault[] = [];
