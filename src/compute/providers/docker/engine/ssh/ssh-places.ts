import type { EngineTraffic } from '../engine-traffic.ts';
import type { SshLogin } from './ssh-login.ts';
import { isWithinShare } from './ssh-shares.ts';
import type { SshShares } from './ssh-shares.ts';

/** What wants a place in a login. */
export interface SshApplicant {
  readonly traffic: EngineTraffic;
  /** Ends the wait, with its reason. */
  readonly signal: AbortSignal;
  /** Ends it while it is idle, because another one waits for its place. */
  giveWay(): void;
}

export interface Place {
  readonly applicant: SshApplicant;
  isIdle: boolean;
  isLeaving: boolean;
}

/** A login with those in it. */
export interface Seats {
  readonly login: SshLogin;
  /** `closing`: it takes no more sessions in, and ends with its last one. */
  state: 'starting' | 'open' | 'closing';
  /** A session was there. */
  wasOfUse: boolean;
  readonly places: Set<Place>;
  /** Of sessions that were ended here, and go on there for all we know. */
  readonly lost: Set<Place>;
  /** Runs while nobody is in it. */
  idle: NodeJS.Timeout | undefined;
}

export function emptySeats(login: SshLogin): Seats {
  return { login, state: 'starting', wasOfUse: false, places: new Set(), lost: new Set(), idle: undefined };
}

/** The first one, so that few are needed. */
export function withRoom(all: Iterable<Seats>, sessions: number): Seats | undefined {
  return [...all].find(({ state, places, lost }) => state === 'open' && places.size + lost.size < sessions);
}

export function placesByTraffic(all: Iterable<Seats>): Record<EngineTraffic, number> {
  const there = { calls: 0, ends: 0, streams: 0 };
  for (const { places } of all) for (const { applicant } of places) there[applicant.traffic] += 1;
  return there;
}

/** An idle one without which `traffic` may have a place. Undefined while another one is leaving. */
export function idlePlaceFor(
  traffic: EngineTraffic,
  all: Iterable<Seats>,
  shares: SshShares,
): Place | undefined {
  const places = [...all].flatMap((seats) => [...seats.places]);
  if (places.some(({ isLeaving }) => isLeaving)) return undefined;
  const there = placesByTraffic(all);
  return places.find(({ isIdle, applicant }) => {
    const without = { ...there, [applicant.traffic]: there[applicant.traffic] - 1 };
    return isIdle && isWithinShare(traffic, without, shares);
  });
}
