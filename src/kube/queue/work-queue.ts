import type { Logger } from 'pino';
import { backoffMs, type BackoffOptions } from '../../async/backoff.ts';
import { doneWithin } from '../../async/done-within.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import { createDelayHeap } from './delay-heap.ts';
import { createWorkLane, type WorkLane } from './work-lane.ts';

export interface ProcessResult {
  /** Look again after this long; on a failure, in place of the back-off. */
  requeueAfterMs?: number;
  /** Counts a failure: the next try backs off further. */
  failed?: boolean;
}

export interface WorkQueueMetrics {
  /** Keys that wait for a worker, after each change. */
  onDepth?(depth: number): void;
  onStart?(key: string, waitedMs: number): void;
  onDone?(key: string, info: { durationMs: number; failed: boolean }): void;
}

export interface WorkQueueOptions {
  /** Passes at once, in each lane. */
  concurrency: number;
  /**
   * The lane of a key, asked each time it is added; one for all by default. Each lane has `concurrency` workers of
   * its own, so that passes that hang on one thing do not delay those on another.
   */
  laneOf?: (key: string) => string;
  /**
   * One pass over one key; never two at once for the same. A rejection counts as a failure; where it has a
   * `retryAfterMs`, that is when it runs again. `signal` aborts when the queue is stopped the hard way.
   */
  process: (key: string, signal: AbortSignal) => Promise<ProcessResult | void>;
  /** Base 1 s, cap 5 min by default. */
  backoff?: Partial<BackoffOptions>;
  logger: Logger;
  metrics?: WorkQueueMetrics;
  random?: () => number;
}

export interface AddOptions {
  /** `low` waits behind all others and doesn't cut a back-off short: for sweeps. */
  priority?: 'normal' | 'low';
}

export interface WorkQueue {
  /**
   * As soon as a worker is free. While the key is being processed: again right after. While it is in back-off:
   * now, and its failures still count.
   */
  add(key: string, options?: AddOptions): void;
  /** The earliest of several wins. A pass that starts in between makes it void: the pass's result says what's next. */
  addAfter(key: string, delayMs: number): void;
  /** Forgets failures and whatever is scheduled, for a key that is no more. */
  forget(key: string): void;
  failures(key: string): number;
  /** Keys waiting for a worker. */
  readonly depth: number;
  /** Works until `signal` aborts, which also aborts the running passes; resolves when they have ended. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Starts nothing more and waits for what runs; after `timeoutMs` aborts it. True where all ended by itself.
   */
  drain(timeoutMs: number): Promise<boolean>;
}

const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 1_000, capMs: 300_000 };
/** How long aborted passes get to end before drain() gives up on them. */
const ABORT_GRACE_MS = 1_000;

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { concurrency, process, logger, metrics, random = Math.random, laneOf = () => '' } = options;
  const backoff = { ...DEFAULT_BACKOFF, ...options.backoff };
  const lanes = new Map<string, WorkLane>();
  /** The lane that each waiting key waits in. */
  const waiting = new Map<string, WorkLane>();
  /** Asked for again while they were being processed. */
  const dirty = new Map<string, 'normal' | 'low'>();
  const processing = new Map<string, Promise<void>>();
  const failures = new Map<string, number>();
  const delayed = createDelayHeap();
  const hardStop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let state: 'waiting' | 'running' | 'stopped' = 'waiting';
  let pumpIsDue = false;

  function enqueue(key: string, priority: 'normal' | 'low'): void {
    if (processing.has(key)) {
      if (dirty.get(key) !== 'normal') dirty.set(key, priority);
      return;
    }
    const lane = laneNamed(laneOf(key));
    const before = waiting.get(key);
    // What it will wait for has changed meanwhile: it keeps its turn and its urgency.
    const moved = before === undefined || before === lane ? undefined : before.remove(key);
    lane.put(key, moved?.priority === 'normal' ? 'normal' : priority, moved?.sinceMs ?? performance.now());
    waiting.set(key, lane);
    metrics?.onDepth?.(waiting.size);
    pumpSoon();
  }

  /** Off the caller's stack, when its burst of adds is complete: they then make one pass, the urgent one first. */
  function pumpSoon(): void {
    if (pumpIsDue) return;
    pumpIsDue = true;
    queueMicrotask(() => {
      pumpIsDue = false;
      pump();
    });
  }

  function laneNamed(name: string): WorkLane {
    const lane = lanes.get(name) ?? createWorkLane();
    lanes.set(name, lane);
    return lane;
  }

  function pump(): void {
    if (state !== 'running') return;
    for (const lane of lanes.values()) {
      while (lane.busy < concurrency && lane.size > 0) start(lane);
    }
  }

  function start(lane: WorkLane): void {
    const key = lane.next();
    const since = key === undefined ? undefined : lane.remove(key);
    if (key === undefined || since === undefined) return;
    waiting.delete(key);
    // The pass sees the world as it is now; its result says when to look again.
    delayed.cancel(key);
    metrics?.onDepth?.(waiting.size);
    metrics?.onStart?.(key, performance.now() - since.sinceMs);
    lane.busy += 1;
    processing.set(key, pass(key, lane));
  }

  async function pass(key: string, lane: WorkLane): Promise<void> {
    const startedAtMs = performance.now();
    let result: ProcessResult;
    try {
      result = (await process(key, hardStop.signal)) ?? {};
    } catch (error) {
      result = failedBy(error);
      if (!hardStop.signal.aborted) logger.error({ err: error, key }, 'processing failed');
    }
    processing.delete(key);
    lane.busy -= 1;
    settle(key, result);
    metrics?.onDone?.(key, { durationMs: performance.now() - startedAtMs, failed: result.failed ?? false });
    const again = dirty.get(key);
    dirty.delete(key);
    if (again) enqueueAgain(key, again);
    pump();
  }

  // A sweep's wish doesn't cut the back-off of the pass that has just failed short.
  function enqueueAgain(key: string, priority: 'normal' | 'low'): void {
    if (priority === 'normal' || !failures.has(key)) enqueue(key, priority);
  }

  function settle(key: string, { requeueAfterMs, failed }: ProcessResult): void {
    let delayMs = requeueAfterMs;
    if (failed) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      delayMs ??= backoffMs(count, backoff, random);
    } else failures.delete(key);
    if (delayMs !== undefined) schedule(key, delayMs);
  }

  function schedule(key: string, delayMs: number): void {
    delayed.schedule(key, performance.now() + delayMs);
    armTimer();
  }

  function armTimer(): void {
    clearTimeout(timer);
    const dueAtMs = delayed.nextDueAtMs();
    if (dueAtMs === undefined || state !== 'running') return;
    // setTimeout takes 31 bits at most; whatever lies further off is looked at again then.
    timer = setTimeout(wake, Math.min(Math.max(0, dueAtMs - performance.now()), 2 ** 31 - 1));
  }

  function wake(): void {
    for (const key of delayed.takeDue(performance.now())) enqueue(key, 'normal');
    armTimer();
  }

  function stop(): void {
    state = 'stopped';
    clearTimeout(timer);
    delayed.clear();
    dirty.clear();
  }

  async function ended(): Promise<void> {
    await Promise.all(processing.values());
  }

  return {
    add(key, { priority = 'normal' } = {}) {
      if (state === 'stopped') return;
      if (priority === 'low' && failures.has(key) && delayed.has(key)) return;
      enqueue(key, priority);
    },
    addAfter(key, delayMs) {
      if (state === 'stopped') return;
      schedule(key, delayMs);
    },
    forget(key) {
      failures.delete(key);
      delayed.cancel(key);
    },
    failures: (key) => failures.get(key) ?? 0,
    get depth() {
      return waiting.size;
    },
    async run(signal) {
      if (state !== 'waiting') throw new Error('a work queue runs once');
      if (!signal.aborted) {
        state = 'running';
        armTimer();
        pump();
        await untilAborted(signal);
      }
      stop();
      hardStop.abort(signal.reason);
      await ended();
    },
    async drain(timeoutMs) {
      stop();
      if (await doneWithin(ended(), timeoutMs)) return true;
      hardStop.abort(new Error(`not done within ${timeoutMs} ms`));
      await doneWithin(ended(), ABORT_GRACE_MS);
      return false;
    },
  };
}

function failedBy(error: unknown): ProcessResult {
  const retryAfterMs = (error as { retryAfterMs?: unknown } | undefined)?.retryAfterMs;
  return { failed: true, ...(typeof retryAfterMs === 'number' && { requeueAfterMs: retryAfterMs }) };
}
