/** How many seeds a whole run plays, and over how many files they are spread, so that every core has some. */
export const figures = { seeds: 2_000, shards: 8 } as const;

/** Seeds that failed once, each with what was broken then. They are played in every run. */
export const failedOnce: readonly (readonly [seed: number, invariant: string])[] = [
  [6241, 'finalizerLast'],
  [453, 'suspendedShows'],
  [691, 'whatCannotRunSaysSo'],
  [1035, 'rejectedForItsOwnFault'],
  [222, 'leavesReportedAlone'],
  [25, 'changesLittle'],
];

/** What a scenario leaves out, and the fault of the product that is known to show where it does not. */
export interface KnownFault {
  /** An action of a scenario, one of its circumstances (`skew`, `limits`, `jobs`, `crowds`), or an invariant. */
  readonly leavesOut: string;
  readonly why: string;
}

/** Not yet mended, or mended and not yet let in again. Empty is as it should be; `npm run simulate -- --all` plays as if it were. */
export const knownFaults: readonly KnownFault[] = [
  { leavesOut: 'restart', why: 'a container whose start the end of the engine cut off is never remade' },
  { leavesOut: 'restartKilled', why: 'the same' },
  { leavesOut: 'otherPrefix', why: 'with a fixed host port, the new place waits for the old one for ever' },
  { leavesOut: 'otherEngine', why: 'what runs on the engine before is left there' },
  { leavesOut: 'freeze', why: 'the minute without contact is counted from the first call that fails' },
  { leavesOut: 'ecsOutage', why: 'the same' },
  { leavesOut: 'flaw', why: 'a crash loop after a long good run counts as settled between two crashes' },
  {
    leavesOut: 'secretsFail',
    why: 'a pass that the apiserver fails leaves Ready=True of the generation before',
  },
  { leavesOut: 'kill', why: 'a successor that a person kills or stops is taken for one that failed' },
  { leavesOut: 'stop', why: 'the same' },
  { leavesOut: 'crowds', why: 'a tenant network has no room for many containers and their successors' },
  { leavesOut: 'othersRunOn', why: 'one container that can not start keeps the others down' },
  {
    leavesOut: 'passesLittle',
    why: 'what an engine is slow to remove, or refuses, is looked at again at once',
  },
  { leavesOut: 'skew', why: 'ages are counted by our clock, not by the engine' },
  { leavesOut: 'limits', why: 'what the engine does not keep is set again and again' },
  { leavesOut: 'jobs', why: 'a job that has come to a good end is called ill, or rejected' },
];
