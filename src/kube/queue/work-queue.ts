import type { Logger } from 'pino';
import { backoffMs } from '../../async/backoff.ts';
import type { BackoffOptions } from '../../async/backoff.ts';
import { doneWithin } from '../../async/done-within.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import { createDelayedKeys } from './delayed-keys.ts';
import type { DelayedKeys } from './delayed-keys.ts';
import type { Priority } from './work-lane.ts';
import { createWorkLanes } from './work-lanes.ts';
import type { Taken, WorkLanes } from './work-lanes.ts';

export interface ProcessResult {
  /** Look again after this long; on a failure, in place of the back-off. */
  readonly requeueAfterMs?: number;
  /** Counts a failure: the next try backs off further. */
  readonly failed?: boolean;
}

export interface WorkQueueMetrics {
  /** Keys that wait for a worker, after each change. */
  onDepth?(depth: number): void;
  onStart?(key: string, waitedMs: number): void;
  onDone?(key: string, info: { readonly durationMs: number; readonly failed: boolean }): void;
}

export interface WorkQueueOptions {
  /** Passes at once, in each lane. */
  readonly concurrency: number;
  /**
   * The lane of a key, asked each time it is added; one for all by default. Each lane has `concurrency` workers of
   * its own, so that passes that hang on one thing do not delay those on another.
   */
  readonly laneOf?: (key: string) => string;
  /**
   * One pass over one key; never two at once for the same. A rejection counts as a failure; where it has a
   * `retryAfterMs`, that is when it runs again. `signal` aborts when the queue is stopped the hard way.
   */
  readonly process: (key: string, signal: AbortSignal) => Promise<ProcessResult | void>;
  /** Base 1 s, cap 5 min by default. */
  readonly backoff?: Partial<BackoffOptions>;
  readonly logger: Logger;
  readonly metrics?: WorkQueueMetrics;
  readonly random?: () => number;
}

export interface AddOptions {
  /** `low` waits behind all others and doesn't cut a back-off short: for sweeps. */
  readonly priority?: 'normal' | 'low';
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

const defaultBackoff: BackoffOptions = { baseMs: 1_000, capMs: 300_000 };
/** How long aborted passes get to end before drain() gives up on them. */
const abortGraceMs = 1_000;

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyedQueue(options);
}

class KeyedQueue implements WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #backoff: BackoffOptions;
  readonly #lanes: WorkLanes;
  readonly #delayed: DelayedKeys;
  /** Asked for again while they were being processed. */
  readonly #dirty = new Map<string, Priority>();
  readonly #processing = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();
  readonly #hardStop = new AbortController();
  #state: 'waiting' | 'running' | 'stopped' = 'waiting';
  #pumpIsDue = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#backoff = { ...defaultBackoff, ...options.backoff };
    this.#lanes = createWorkLanes(options.concurrency);
    this.#delayed = createDelayedKeys((key) => this.#enqueue(key, 'normal'));
  }

  add(key: string, { priority = 'normal' }: AddOptions = {}): void {
    if (this.#state === 'stopped') return;
    if (priority === 'low' && this.#failures.has(key) && this.#delayed.has(key)) return;
    this.#enqueue(key, priority);
  }

  addAfter(key: string, delayMs: number): void {
    if (this.#state !== 'stopped') this.#delayed.schedule(key, delayMs);
  }

  forget(key: string): void {
    this.#failures.delete(key);
    this.#delayed.cancel(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  get depth(): number {
    return this.#lanes.size;
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'waiting') throw new Error('a work queue runs once');
    if (!signal.aborted) {
      this.#state = 'running';
      this.#delayed.start();
      this.#pump();
      await untilAborted(signal);
    }
    this.#stop();
    this.#hardStop.abort(signal.reason);
    await this.#ended();
  }

  async drain(timeoutMs: number): Promise<boolean> {
    this.#stop();
    if (await doneWithin(this.#ended(), timeoutMs)) return true;
    this.#hardStop.abort(new Error(`not done within ${timeoutMs} ms`));
    await doneWithin(this.#ended(), abortGraceMs);
    return false;
  }

  #enqueue(key: string, priority: Priority): void {
    if (this.#processing.has(key)) {
      if (this.#dirty.get(key) !== 'normal') this.#dirty.set(key, priority);
      return;
    }
    this.#lanes.put(key, this.#options.laneOf?.(key) ?? '', priority);
    this.#options.metrics?.onDepth?.(this.#lanes.size);
    this.#pumpSoon();
  }

  /** Off the caller's stack, when its burst of adds is complete: they then make one pass, the urgent one first. */
  #pumpSoon(): void {
    if (this.#pumpIsDue) return;
    this.#pumpIsDue = true;
    queueMicrotask(() => {
      this.#pumpIsDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#state !== 'running') return;
    for (const taken of this.#lanes.ready()) this.#start(taken);
  }

  #start(taken: Taken): void {
    const { key, waitedMs } = taken;
    const { metrics } = this.#options;
    // The pass sees the world as it is now; its result says when to look again.
    this.#delayed.cancel(key);
    metrics?.onDepth?.(this.#lanes.size);
    metrics?.onStart?.(key, waitedMs);
    this.#processing.set(key, this.#pass(taken));
  }

  async #pass({ key, release }: Taken): Promise<void> {
    const startedAtMs = performance.now();
    const { process, logger } = this.#options;
    const { signal } = this.#hardStop;
    let result: ProcessResult;
    try {
      result = (await process(key, signal)) ?? {};
    } catch (error) {
      result = failedBy(error);
      if (!signal.aborted) logger.error({ err: error, key }, 'processing failed');
    }
    this.#processing.delete(key);
    release();
    this.#settle(key, result);
    const { failed = false } = result;
    this.#options.metrics?.onDone?.(key, { durationMs: performance.now() - startedAtMs, failed });
    const again = this.#dirty.get(key);
    this.#dirty.delete(key);
    // A sweep's wish doesn't cut the back-off of the pass that has just failed short.
    if (again === 'normal' || (again === 'low' && !this.#failures.has(key))) this.#enqueue(key, again);
    this.#pump();
  }

  #settle(key: string, { requeueAfterMs, failed }: ProcessResult): void {
    let delayMs = requeueAfterMs;
    if (failed) {
      const count = this.failures(key);
      this.#failures.set(key, count + 1);
      delayMs ??= backoffMs(count, this.#backoff, this.#options.random);
    } else this.#failures.delete(key);
    if (delayMs !== undefined) this.#delayed.schedule(key, delayMs);
  }

  #stop(): void {
    this.#state = 'stopped';
    this.#delayed.stop();
    this.#dirty.clear();
  }

  async #ended(): Promise<void> {
    await Promise.all(this.#processing.values());
  }
}

function failedBy(error: unknown): ProcessResult {
  const retryAfterMs = (error as { retryAfterMs?: unknown } | undefined)?.retryAfterMs;
  return { failed: true, ...(typeof retryAfterMs === 'number' && { requeueAfterMs: retryAfterMs }) };
}
