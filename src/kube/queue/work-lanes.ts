import type { Standing } from './fair-line.ts';
import { createWorkLane } from './work-lane.ts';
import type { LaneWorkers, Pace, Running, WorkLane } from './work-lane.ts';
import { moreUrgent } from './work-line.ts';
import type { Urgency } from './work-line.ts';

/** The keys that wait for a worker, each in the lane that its last asker named. */
export interface WorkLanes {
  /** A key that waits already keeps the time at which it came, and the greatest urgency that it was asked for with. */
  put(key: string, asked: Asked): void;
  /** One key after another for as long as their lanes have workers left, each of which is busy from then on. */
  ready(): Iterable<Taken>;
  /** Milliseconds until a key may be ready although no pass ends; undefined: none will be. */
  readyInMs(): number | undefined;
  /** Whether its passes were slow. */
  forget(key: string): void;
  /** Keys that wait, in all lanes. */
  readonly size: number;
}

export interface Asked {
  readonly lane: string;
  /** Within its lane and urgency, a key waits behind one of each other group at most before one of its own is taken. */
  readonly group: string;
  readonly urgency: Urgency;
}

export interface Taken {
  readonly key: string;
  readonly lane: string;
  readonly urgency: Urgency;
  readonly waitedMs: number;
  /** The worker is free again. */
  readonly release: () => void;
}

/** Lanes have workers of their own each, so there must be an end to their names. Further ones are one lane. */
const mostLanes = 256;
const furtherLanes = 'others';

interface Entry extends Asked {
  readonly pace: Pace;
  readonly sinceMs: number;
  readonly standing: Standing;
}

/** Each lane has workers of its own. */
export function createWorkLanes(workers: LaneWorkers): WorkLanes {
  return new NamedLanes(workers);
}

class NamedLanes implements WorkLanes {
  readonly #workers: LaneWorkers;
  readonly #lanes = new Map<string, WorkLane>();
  readonly #waiting = new Map<string, Entry>();
  readonly #slowKeys = new Set<string>();

  constructor(workers: LaneWorkers) {
    this.#workers = workers;
  }

  put(key: string, asked: Asked): void {
    const { name, lane } = this.#laneFor(asked.lane);
    const pace = this.#slowKeys.has(key) ? 'slow' : 'quick';
    const before = this.#waiting.get(key);
    const urgency = before === undefined ? asked.urgency : moreUrgent(before.urgency, asked.urgency);
    if (before?.lane === name && before.urgency === urgency && before.pace === pace) return;
    const { group } = asked;
    const standing = lane.lines[pace].put({ key, group, urgency });
    before?.standing.leave();
    const sinceMs = before?.sinceMs ?? performance.now();
    this.#waiting.set(key, { lane: name, group, urgency, pace, sinceMs, standing });
  }

  *ready(): Iterable<Taken> {
    for (const lane of this.#lanes.values()) {
      for (let taken = this.#takeFrom(lane); taken !== undefined; taken = this.#takeFrom(lane)) yield taken;
    }
  }

  readyInMs(): number | undefined {
    let atMs = Infinity;
    for (const lane of this.#lanes.values()) atMs = Math.min(atMs, lane.roomAtMs() ?? Infinity);
    return atMs === Infinity ? undefined : Math.max(0, atMs - performance.now());
  }

  forget(key: string): void {
    this.#slowKeys.delete(key);
  }

  get size(): number {
    return this.#waiting.size;
  }

  #laneFor(name: string): { readonly name: string; readonly lane: WorkLane } {
    const known = this.#lanes.get(name);
    if (known !== undefined) return { name, lane: known };
    const isFull = this.#lanes.size >= mostLanes && name !== furtherLanes;
    if (isFull && !this.#dropIdle()) return this.#laneFor(furtherLanes);
    const lane = createWorkLane(this.#workers);
    this.#lanes.set(name, lane);
    return { name, lane };
  }

  #takeFrom(lane: WorkLane): Taken | undefined {
    const nowMs = performance.now();
    const { key, pass } = lane.take(nowMs) ?? {};
    const entry = key === undefined ? undefined : this.#waiting.get(key);
    if (key === undefined || pass === undefined || entry === undefined) return undefined;
    this.#waiting.delete(key);
    const { lane: name, urgency, sinceMs } = entry;
    return { key, lane: name, urgency, waitedMs: nowMs - sinceMs, release: () => this.#end(key, pass) };
  }

  #end(key: string, { sinceMs, end }: Running): void {
    end();
    if (performance.now() - sinceMs < this.#workers.slowAfterMs) this.#slowKeys.delete(key);
    else this.#slowKeys.add(key);
  }

  /** Makes room for another one, where there is a lane that nobody uses. To keep them costs less than to make them anew. */
  #dropIdle(): boolean {
    for (const [name, lane] of this.#lanes) if (lane.isIdle) return this.#lanes.delete(name);
    return false;
  }
}
