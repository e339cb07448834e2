import { createWorkLane } from './work-lane.ts';
import type { Priority, WorkLane } from './work-lane.ts';

/** The keys that wait for a worker, each in the lane that its last asker named. */
export interface WorkLanes {
  /** A key that waits in another lane moves: it keeps its turn and its urgency. */
  put(key: string, laneName: string, priority: Priority): void;
  /** One key after another for as long as their lanes have workers left, each of which is busy from then on. */
  ready(): Iterable<Taken>;
  /** Keys that wait, in all lanes. */
  readonly size: number;
}

export interface Taken {
  readonly key: string;
  readonly waitedMs: number;
  /** The worker is free again. */
  readonly release: () => void;
}

/** Each lane has `workers` of its own. */
export function createWorkLanes(workers: number): WorkLanes {
  const lanes = new Map<string, WorkLane>();
  /** The lane that each waiting key waits in. */
  const waiting = new Map<string, WorkLane>();

  function laneNamed(name: string): WorkLane {
    const lane = lanes.get(name) ?? createWorkLane();
    lanes.set(name, lane);
    return lane;
  }

  function takeFrom(lane: WorkLane): Taken | undefined {
    const key = lane.next();
    const since = key === undefined ? undefined : lane.remove(key);
    if (key === undefined || since === undefined) return undefined;
    waiting.delete(key);
    lane.busy += 1;
    return { key, waitedMs: performance.now() - since.sinceMs, release: () => void (lane.busy -= 1) };
  }

  return {
    put(key, laneName, priority) {
      const lane = laneNamed(laneName);
      const before = waiting.get(key);
      const moved = before === undefined || before === lane ? undefined : before.remove(key);
      lane.put(key, moved?.priority === 'normal' ? 'normal' : priority, moved?.sinceMs ?? performance.now());
      waiting.set(key, lane);
    },
    *ready() {
      for (const lane of lanes.values()) {
        while (lane.busy < workers && lane.size > 0) {
          const taken = takeFrom(lane);
          if (taken !== undefined) yield taken;
        }
      }
    },
    get size() {
      return waiting.size;
    },
  };
}
