import type { Logger } from 'pino';
import { sleep } from '../../async/sleep.ts';
import { KubeApiError, isApiError, messageOf } from '../client/kube-api-error.ts';
import type { KubeObject } from '../client/kube-object.ts';
import type { ObjectStream } from '../client/object-stream.ts';
import type { Resource, Selection, WatchEvent } from '../client/resource.ts';
import type { FollowedState } from './followed-state.ts';
import type { CacheEvent } from './object-cache.ts';
import { guardAgainstSilence } from './silence-guard.ts';
import { createWatchIntake } from './watch-intake.ts';
import type { WatchIntake } from './watch-intake.ts';
import { createWatchRecovery } from './watch-recovery.ts';
import type { WatchRecovery } from './watch-recovery.ts';
import { nextWatchRequest } from './watch-request.ts';
import type { ReflectorTiming } from './watch-request.ts';

export interface ReflectorMetrics {
  /** Everything was read afresh. */
  onRelist?(resource: string): void;
  /** The watch broke (`unreachable`, an HTTP status) and is opened again. Clean ends don't count. */
  onReconnect?(resource: string, reason: string): void;
  /** An event arrived, own writes' echoes included. */
  onEvent?(resource: string): void;
}

export interface ReflectorOptions<T extends KubeObject> extends Selection {
  readonly resource: Resource<T>;
  readonly logger: Logger;
  /**
   * What the cache keeps of an object, of which `known` is the version that it has so far. Metadata but managedFields,
   * labels and annotations must stay.
   */
  readonly transform?: (object: T, known: T | undefined) => T;
  /** Called in order, after the cache has changed. May throw: that is logged and harms nothing. */
  readonly onEvent?: (event: CacheEvent<T>) => void;
  readonly metrics?: ReflectorMetrics;
  readonly timing?: Partial<ReflectorTiming>;
  /** The apiserver refuses the watch: rights are missing, or what is to be watched is not there. */
  readonly onRefused?: () => void;
  /** The kind is not served any more, or not yet (false); it is again (true). Whoever is told logs it. */
  readonly onServed?: (isServed: boolean) => void;
  /** False reads the first state by a paged LIST, which the server compresses: for slow links. */
  readonly watchList?: boolean;
}

/** 10 s + 3 s: a frozen apiserver or a half-open connection is noticed within 13 s (client-go: 43 s). */
const defaultTiming: ReflectorTiming = {
  silenceMs: 10_000,
  openTimeoutMs: 3_000,
  errorBackoff: { baseMs: 500, capMs: 30_000 },
  unservedBackoff: { baseMs: 500, capMs: 5_000 },
  unreachableBackoff: { baseMs: 500, capMs: 2_000 },
  random: Math.random,
};

/** Events of one watch, from which on it is no longer taken for a quiet one. */
const muchToTell = 100;

/** Follows one resource: reads its whole state, watches it, and comes back from whatever breaks that. */
export class WatchLoop<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #timing: ReflectorTiming;
  readonly #selection: Selection;
  readonly #state: FollowedState<T>;
  readonly #logger: Logger;
  readonly #recovery: WatchRecovery;
  /** Whether the server is asked for the whole state by a watch; some have never heard of that. */
  #watchList: boolean;
  /** The last watch was silent. */
  #quiet = false;
  #proven = false;
  #connected = false;
  #toldServed = true;

  constructor(options: ReflectorOptions<T>, state: FollowedState<T>, logger: Logger) {
    const { namespace, labelSelector, fieldSelector } = options;
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#selection = {
      ...(namespace && { namespace }),
      ...(labelSelector && { labelSelector }),
      ...(fieldSelector && { fieldSelector }),
    };
    this.#state = state;
    this.#logger = logger;
    this.#recovery = createWatchRecovery(this.#timing);
    this.#watchList = options.watchList ?? true;
  }

  /** Whether a watch is open, as far as anybody can know. */
  get isConnected(): boolean {
    return this.#connected;
  }

  /** Why the apiserver refuses the watch, in its own words; undefined: it does not, as far as is known. */
  get refusal(): string | undefined {
    return this.#recovery.refusal;
  }

  /** Whether the apiserver serves the kind, as far as is known. */
  get isServed(): boolean {
    return this.#recovery.isServed;
  }

  /** Until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#state.version() === undefined && !this.#watchList) await this.#readPaged(signal);
        else await this.#follow(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#connected = false;
        await sleep(this.#recover(error), signal);
      }
    }
    this.#connected = false;
  }

  async #readPaged(signal: AbortSignal): Promise<void> {
    const snapshot = this.#state.beginSnapshot();
    let resourceVersion = '';
    for await (const page of this.#options.resource.pages({ ...this.#selection, signal })) {
      for (const item of page.items) snapshot.keep(item);
      ({ resourceVersion } = page);
    }
    snapshot.complete(resourceVersion);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { resource, metrics } = this.#options;
    const { failures } = this.#recovery;
    const situation = {
      version: this.#state.version(),
      quiet: this.#quiet,
      proven: this.#proven,
      failures,
    };
    const request = nextWatchRequest(situation, this.#timing);
    const stream = await resource.watch({ ...this.#selection, ...request.options, signal });
    this.#connected = true;
    if (situation.version !== undefined) this.#opened();
    this.#proven = stream.provesLife;
    const intake = createWatchIntake(this.#state, {
      what: resource.id,
      sendInitialEvents: request.options.sendInitialEvents ?? false,
      onChange: () => metrics?.onEvent?.(resource.id),
      onComplete: () => guard.limitShrank(),
    });
    const silenceLimitMs = (): number => request.silenceLimitMs(intake.isInitial());
    const guard = guardAgainstSilence(stream, silenceLimitMs);
    try {
      await this.#takeIn(stream, intake, request.options.timeoutSeconds);
    } catch (error) {
      if (!guard.wasSilent()) throw error;
      this.#logger.debug({ limitMs: silenceLimitMs() }, 'silent watch, opening it again');
      this.#quiet = true;
    } finally {
      guard.stop();
    }
  }

  async #takeIn(
    stream: ObjectStream<WatchEvent<T>>,
    intake: WatchIntake<T>,
    timeoutSeconds: number,
  ): Promise<void> {
    const openedAtMs = performance.now();
    for await (const event of stream) {
      intake.take(event);
      // Part of an initial state is no success: it may break off there each time.
      if (!intake.isInitial()) this.#works();
      if (stream.provesLife && intake.changes() >= muchToTell) break;
    }
    if (intake.isInitial()) throw new Error('the watch ended before the initial state was complete');
    const livedMs = performance.now() - openedAtMs;
    if (intake.received() === 0 && livedMs < Math.min(1_000, timeoutSeconds * 500))
      throw new Error('the watch ended at once');
    this.#works();
    if (intake.changes() > 0) this.#quiet = false;
  }

  #opened(): void {
    this.#recovery.opened();
    this.#tellServed();
  }

  #works(): void {
    this.#recovery.works();
    this.#tellServed();
  }

  #tellServed(): void {
    if (this.#toldServed === this.isServed) return;
    this.#toldServed = this.isServed;
    this.#options.onServed?.(this.isServed);
  }

  /** Decides how to go on after an error; returns how long to wait before. */
  #recover(error: unknown): number {
    const { resource, metrics } = this.#options;
    if (this.#state.version() === undefined && this.#watchList && isApiError(error, 400, 405, 422)) {
      this.#logger.info({ error: error.message }, 'no WatchList here, listing by pages');
      this.#watchList = false;
      return 0;
    }
    // The way of the quiet ones may be what is broken.
    this.#quiet = false;
    const { kind, failures, waitMs } = this.#recovery.broke(error);
    metrics?.onReconnect?.(resource.id, error instanceof KubeApiError ? String(error.status) : 'unreachable');
    // What is served again after it was not has a history of its own.
    if (kind === 'expired' || kind === 'unserved') this.#state.forgetVersion();
    if (kind === 'refused' || kind === 'unserved') this.#options.onRefused?.();
    this.#tellServed();
    // That, and that its storage is on its way when it is served again, is said by whoever is told.
    const isTold = kind === 'unserved' || (kind === 'starting' && !this.isServed);
    // The first, second, fourth, eighth … in a row: an outage isn't a flood of lines.
    const level = !isTold && (failures & (failures - 1)) === 0 ? 'warn' : 'debug';
    this.#logger[level](
      { error: messageOf(error), kind, failures, waitMs: Math.round(waitMs) },
      'watch interrupted',
    );
    return waitMs;
  }
}
