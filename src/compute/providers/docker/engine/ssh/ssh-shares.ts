import type { EngineTraffic } from '../engine-traffic.ts';

export interface SshBounds {
  /** At one engine's host. */
  readonly logins: number;
  /** In each of them. */
  readonly sessions: number;
}

/**
 * sshd takes 10 sessions into a login, unless its MaxSessions says otherwise. Two are spared: it may count one that has
 * ended for a moment longer than we do.
 */
export const sshBounds: SshBounds = { logins: 4, sessions: 8 };

/** How many sessions each traffic may have at once. */
export interface SshShares extends Readonly<Record<EngineTraffic, number>> {
  /** What `ends` and `streams` may have together. */
  readonly lasting: number;
}

/**
 * None takes all places of another. Calls end by themselves soon; of streams there are the events, those of images where these are
 * removed, a question whether the engine takes new connections, and pulls, of which 8 have a turn. Two calls in any case: one that
 * hangs must not look like an engine that does.
 */
export function sshShares({ logins, sessions }: SshBounds): SshShares {
  const places = logins * sessions;
  const calls = Math.max(2, places / 2 - 2);
  const quarter = Math.max(1, Math.floor(places / 4));
  return { calls, ends: quarter, streams: quarter + 3, lasting: places - calls };
}

/** Whether one more of `traffic` is within its share, with so many there. */
export function isWithinShare(
  traffic: EngineTraffic,
  there: Readonly<Record<EngineTraffic, number>>,
  shares: SshShares,
): boolean {
  if (there[traffic] >= shares[traffic]) return false;
  return traffic === 'calls' || there.ends + there.streams < shares.lasting;
}
