/** How many seeds a whole run plays, and over how many files they are spread, so that every core has some. */
export const figures = { seeds: 2_000, shards: 8 } as const;

/** Seeds that failed once, each with what was broken then. They are played in every run. */
export const failedOnce: readonly (readonly [seed: number, invariant: string])[] = [
  [6241, 'finalizerLast'],
  [453, 'suspendedShows'],
  [691, 'whatCannotRunSaysSo'],
  [1035, 'rejectedForItsOwnFault'],
];

/** What a scenario leaves out, and the fault of the product that is known to show where it does not. */
export interface KnownFault {
  /** An action of a scenario, one of its circumstances (`skew`, `limits`, `jobs`, `crowds`), or an invariant. */
  readonly leavesOut: string;
  readonly why: string;
}

/** Not yet mended, or mended and not yet let in again. Empty is as it should be; `npm run simulate -- --all` plays as if it were. */
export const knownFaults: readonly KnownFault[] = [
  { leavesOut: 'rival', why: 'two operators with other defaults replace each other without a back-off' },
  { leavesOut: 'freeze', why: 'the minute without contact is counted from the first call that fails' },
  { leavesOut: 'ecsOutage', why: 'the same' },
  { leavesOut: 'otherEngine', why: 'what runs on the engine before is left there' },
  {
    leavesOut: 'secretsFail',
    why: 'a pass that the apiserver fails leaves Ready=True of the generation before',
  },
  {
    leavesOut: 'breakOne',
    why: 'with one container that can not be inspected, all are looked at without end',
  },
  { leavesOut: 'leavesReportedAlone', why: 'with Report, what is gone is made anew after a loss of contact' },
  { leavesOut: 'approval', why: 'a plan whose effect turns out worse half-way is not announced anew' },
];
