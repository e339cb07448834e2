import { createChain } from './chain.ts';
import { createWorkLine } from './work-line.ts';
import type { WorkLine } from './work-line.ts';

export interface LaneWorkers {
  /** Passes at once. */
  readonly workers: number;
  /** A pass that takes longer is a slow one: it has a worker of its own, and leaves its first one to others. */
  readonly slowAfterMs: number;
  /** Slow passes at once. */
  readonly slowWorkers: number;
}

/** What depends on one thing: the keys that wait for its workers, and the passes that go on. */
export interface WorkLane {
  /** Keys whose last pass was not slow, and those whose was: what hangs again takes no other's worker. */
  readonly lines: Readonly<Record<Pace, WorkLine>>;
  /** Takes out a key that a worker is free for. */
  take(nowMs: number): { readonly key: string; readonly pass: Running } | undefined;
  /** When a pass that goes on makes room for a key that waits, by being a slow one; undefined: none does. */
  roomAtMs(): number | undefined;
  readonly isIdle: boolean;
}

export type Pace = 'quick' | 'slow';

export interface Running {
  readonly sinceMs: number;
  /** Once, at its end. */
  readonly end: () => void;
}

interface Pass {
  readonly sinceMs: number;
  pace: Pace;
}

export function createWorkLane({ workers, slowAfterMs, slowWorkers }: LaneWorkers): WorkLane {
  const lines = { quick: createWorkLine(), slow: createWorkLine() };
  const busy = { quick: 0, slow: 0 };
  const most = { quick: workers, slow: slowWorkers };
  /** Those that have the worker of a quick one, the oldest first. */
  const quick = createChain<Pass>();

  function start(pace: Pace, sinceMs: number): Running {
    const pass: Pass = { sinceMs, pace };
    busy[pace] += 1;
    const link = pace === 'quick' ? quick.push(pass) : undefined;
    return {
      sinceMs,
      end() {
        busy[pass.pace] -= 1;
        if (link !== undefined && pass.pace === 'quick') quick.drop(link);
      },
    };
  }

  function roomAtMs(): number | undefined {
    const oldest = quick.first?.value;
    const isWanted = lines.quick.size > 0 && busy.quick >= most.quick && busy.slow < most.slow;
    return isWanted && oldest !== undefined ? oldest.sinceMs + slowAfterMs : undefined;
  }

  /** Whether one has turned out to be slow. */
  function makeRoom(nowMs: number): boolean {
    const oldest = quick.first;
    if (oldest === undefined || (roomAtMs() ?? Infinity) > nowMs) return false;
    quick.drop(oldest);
    oldest.value.pace = 'slow';
    busy.quick -= 1;
    busy.slow += 1;
    return true;
  }

  return {
    lines,
    take(nowMs) {
      for (const pace of ['quick', 'slow'] as const) {
        if (lines[pace].size === 0) continue;
        if (busy[pace] >= most[pace] && !(pace === 'quick' && makeRoom(nowMs))) continue;
        const key = lines[pace].take();
        if (key !== undefined) return { key, pass: start(pace, nowMs) };
      }
      return undefined;
    },
    roomAtMs,
    get isIdle() {
      return busy.quick + busy.slow + lines.quick.size + lines.slow.size === 0;
    },
  };
}
