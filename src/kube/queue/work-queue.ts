import type { Logger } from 'pino';
import { backoffMs } from '../../async/backoff.ts';
import type { BackoffOptions } from '../../async/backoff.ts';
import { doneWithin } from '../../async/done-within.ts';
import { createLoopTurn } from '../../async/loop-turn.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import { createDelayedKeys } from './delayed-keys.ts';
import type { DelayedKeys } from './delayed-keys.ts';
import { moreUrgent } from './work-line.ts';
import type { Urgency } from './work-line.ts';
import { createWorkLanes } from './work-lanes.ts';
import type { Taken, WorkLanes } from './work-lanes.ts';

export interface ProcessResult {
  /** Look again after this long; on a failure, in place of the back-off. */
  readonly requeueAfterMs?: number;
  /** Counts a failure: the next try backs off further. */
  readonly failed?: boolean;
  /** What failed is nothing of the key's own: whoever sees that well again may cut its back-off short, as a sweep. */
  readonly isOutage?: boolean;
}

export interface WorkQueueMetrics {
  /** Keys that wait for a worker, after each change. */
  onDepth?(depth: number): void;
  onStart?(start: Pick<Taken, 'key' | 'lane' | 'urgency' | 'waitedMs'>): void;
  onDone?(key: string, info: { readonly durationMs: number; readonly failed: boolean }): void;
}

export interface WorkQueueOptions {
  /** Passes at once, in each lane. */
  readonly concurrency: number;
  /**
   * The lane of a key, asked each time it is added; one for all by default. Each lane has workers of its own, so that
   * passes that hang on one thing do not delay those on another.
   */
  readonly laneOf?: (key: string) => string;
  /** Within a lane, the groups take turns; one for all by default. */
  readonly groupOf?: (key: string) => string;
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
  /** Default: hint. `retry` and `sweep` don't cut short the back-off of a failure of the key's own. */
  readonly urgency?: Urgency;
  /** At some moment within that time: so that many keys don't come at once. */
  readonly withinMs?: number;
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

/** Slower ones hang on something, or on an engine that is at its limit. */
const slowAfterMs = 5_000;
/** What hangs costs little but its turn. */
const slowWorkersPerWorker = 4;
/** Passes that need no I/O would go on for as long as there are any. */
const turnMs = 10;

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
  readonly #dirty = new Map<string, Urgency>();
  readonly #processing = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();
  /** Those of which the last failure was not their own. */
  readonly #outages = new Set<string>();
  readonly #turn = createLoopTurn(turnMs);
  #roomTimer: NodeJS.Timeout | undefined;
  #roomAtMs = Infinity;
  readonly #hardStop = new AbortController();
  #state: 'waiting' | 'running' | 'stopped' = 'waiting';
  #pumpIsDue = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#backoff = { ...defaultBackoff, ...options.backoff };
    const workers = options.concurrency;
    this.#lanes = createWorkLanes({ workers, slowAfterMs, slowWorkers: workers * slowWorkersPerWorker });
    this.#delayed = createDelayedKeys((key, urgency) => this.#enqueue(key, urgency));
  }

  add(key: string, { urgency = 'hint', withinMs = 0 }: AddOptions = {}): void {
    if (this.#state === 'stopped') return;
    if (this.#delayed.has(key) && !this.#mayRun(key, urgency)) return;
    // A pass that goes on may have begun before whatever this is about.
    if (withinMs === 0 || this.#processing.has(key)) return this.#enqueue(key, urgency);
    const { random = Math.random } = this.#options;
    this.#delayed.schedule(key, random() * withinMs, urgency);
  }

  /** Whether the key's failures leave it that. */
  #mayRun(key: string, urgency: Urgency): boolean {
    return cutsBackoff(urgency) || !this.#failures.has(key) || this.#outages.has(key);
  }

  addAfter(key: string, delayMs: number): void {
    if (this.#state !== 'stopped') this.#delayed.schedule(key, delayMs, 'hint');
  }

  forget(key: string): void {
    this.#failures.delete(key);
    this.#outages.delete(key);
    this.#lanes.forget(key);
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

  #enqueue(key: string, urgency: Urgency): void {
    if (this.#processing.has(key)) {
      this.#dirty.set(key, moreUrgent(this.#dirty.get(key) ?? urgency, urgency));
      return;
    }
    const { laneOf, groupOf } = this.#options;
    this.#lanes.put(key, { lane: laneOf?.(key) ?? '', group: groupOf?.(key) ?? '', urgency });
    this.#options.metrics?.onDepth?.(this.#lanes.size);
    this.#pumpSoon();
  }

  /** Off the caller's stack, when its burst of adds is complete: they then make one pass, the urgent one first. */
  #pumpSoon(): void {
    if (this.#pumpIsDue) return;
    this.#pumpIsDue = true;
    queueMicrotask(() => this.#pumpDue());
  }

  #pumpDue(): void {
    this.#pumpIsDue = false;
    this.#pump();
  }

  #pump(): void {
    if (this.#state !== 'running' || this.#lanes.size === 0) return;
    if (this.#turn.isOver()) return this.#pumpNextTurn();
    for (const taken of this.#lanes.ready()) {
      this.#start(taken);
      if (this.#turn.isOver()) return this.#pumpNextTurn();
    }
    this.#pumpWhenThereIsRoom();
  }

  #pumpNextTurn(): void {
    if (this.#pumpIsDue) return;
    this.#pumpIsDue = true;
    this.#turn.next(() => this.#pumpDue());
  }

  #pumpWhenThereIsRoom(): void {
    const waitMs = this.#lanes.readyInMs();
    const atMs = performance.now() + (waitMs ?? Infinity);
    // One that comes too early asks again.
    if (waitMs === undefined || this.#roomAtMs <= atMs) return;
    clearTimeout(this.#roomTimer);
    this.#roomAtMs = atMs;
    this.#roomTimer = setTimeout(() => {
      this.#roomAtMs = Infinity;
      this.#pump();
    }, Math.ceil(waitMs));
  }

  #start(taken: Taken): void {
    const { key } = taken;
    const { metrics } = this.#options;
    // The pass sees the world as it is now; its result says when to look again.
    this.#delayed.cancel(key);
    metrics?.onDepth?.(this.#lanes.size);
    metrics?.onStart?.(taken);
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
    if (again !== undefined && this.#mayRun(key, again)) this.#enqueue(key, again);
    this.#pump();
  }

  #settle(key: string, { requeueAfterMs, failed = false, isOutage = false }: ProcessResult): void {
    let delayMs = requeueAfterMs;
    if (failed && isOutage) this.#outages.add(key);
    else this.#outages.delete(key);
    if (failed) {
      const count = this.failures(key);
      this.#failures.set(key, count + 1);
      delayMs ??= backoffMs(count, this.#backoff, this.#options.random);
    } else this.#failures.delete(key);
    if (delayMs !== undefined) this.#delayed.schedule(key, delayMs, failed ? 'retry' : 'hint');
  }

  #stop(): void {
    this.#state = 'stopped';
    this.#delayed.stop();
    clearTimeout(this.#roomTimer);
    this.#dirty.clear();
  }

  async #ended(): Promise<void> {
    await Promise.all(this.#processing.values());
  }
}

function cutsBackoff(urgency: Urgency): boolean {
  return urgency === 'change' || urgency === 'hint';
}

function failedBy(error: unknown): ProcessResult {
  const retryAfterMs = (error as { retryAfterMs?: unknown } | undefined)?.retryAfterMs;
  return { failed: true, ...(typeof retryAfterMs === 'number' && { requeueAfterMs: retryAfterMs }) };
}
