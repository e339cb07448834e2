import type { Random } from '../simulation/random.ts';

/** When which fault begins, and for how long: pure, so that a seed plays the same faults again. */

/** Faults of one lane follow each other; lanes overlap. */
export const lanes = ['cluster', 'engines'] as const;
export type Lane = (typeof lanes)[number];

export interface Kind {
  readonly name: string;
  readonly lane: Lane;
  readonly weight: number;
  /** Whether it ends the operator: what its process has gathered is gone then. */
  readonly endsOperator?: boolean;
}

export interface Planned<K extends Kind = Kind> {
  readonly kind: K;
  readonly lane: Lane;
  /** Since the beginning. */
  readonly atMs: number;
  readonly forMs: number;
}

const shortMs = [500, 8_000] as const;
/** Long enough for a Ready Tenant to be Unknown. */
const longMs = [15_000, 75_000] as const;
const pauseMs = [500, 5_000] as const;
const longChance = 0.15;
/** After this part of the time the operator lives on, so that at the end something can have gathered in it. */
const operatorEndsUntil = 0.5;

export function planFaults<K extends Kind>(
  random: Random,
  kinds: readonly K[],
  durationMs: number,
): readonly Planned<K>[] {
  const planned = lanes.flatMap((lane) => planLane(random, { lane, kinds, durationMs }));
  return planned.toSorted((a, b) => a.atMs - b.atMs);
}

function planLane<K extends Kind>(
  random: Random,
  { lane, kinds, durationMs }: { lane: Lane; kinds: readonly K[]; durationMs: number },
): Planned<K>[] {
  const mine = kinds.filter((kind) => kind.lane === lane);
  const planned: Planned<K>[] = [];
  for (let atMs = random.int(...pauseMs); atMs < durationMs;) {
    const possible = mine.filter(
      ({ endsOperator }) => endsOperator !== true || atMs < durationMs * operatorEndsUntil,
    );
    if (possible.length === 0) break;
    const index = random.weighted(Object.fromEntries(possible.map(({ weight }, at) => [at, weight])));
    const kind = possible[Number(index)] as K;
    const wanted = random.chance(longChance) ? random.int(...longMs) : random.int(...shortMs);
    const forMs = Math.min(wanted, Math.ceil(durationMs / 5), durationMs - atMs);
    planned.push({ kind, lane, atMs, forMs });
    atMs += forMs + random.int(...pauseMs);
  }
  return planned;
}
