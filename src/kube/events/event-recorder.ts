import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { backoffMs } from '../../async/backoff.ts';
import { doneWithin } from '../../async/done-within.ts';
import { sleep } from '../../async/sleep.ts';
import { KubeUnreachableError } from '../client/kube-api-error.ts';
import type { KubeClient } from '../client/kube-client.ts';
import type { KubeObject } from '../client/kube-object.ts';
import { microTime } from '../client/micro-time.ts';
import { resource } from '../client/resource.ts';
import { createTokenBucket, type TokenBucket } from '../../async/token-bucket.ts';

export interface ObjectReference {
  apiVersion?: string;
  kind?: string;
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
}

export interface EventInput {
  /** What the event is about; `kubectl describe` finds it by the UID. */
  regarding: ObjectReference;
  type: 'Normal' | 'Warning';
  /** Why, in one CamelCase word. */
  reason: string;
  /** What was done, in one CamelCase word. */
  action: string;
  /** For people; cut at 1024 bytes. */
  note: string;
}

export interface EventRecorderOptions {
  client: KubeClient;
  /** `landlord.dev/operator` */
  reportingController: string;
  /** The pod or host. */
  reportingInstance: string;
  logger: Logger;
  now?: () => Date;
}

/** Tells users what happened, by events.k8s.io/v1. Events are best effort: none ever fails or delays its caller. */
export interface EventRecorder {
  /** Returns at once. The same event again within ten minutes raises the count of the first one. */
  emit(event: EventInput): void;
  /** Waits until all are sent, for `timeoutMs` at most. True where they are. */
  flush(timeoutMs: number): Promise<boolean>;
}

/** The apiserver refuses longer ones. */
const MAX_NOTE_BYTES = 1024;
/** Waiting events beyond this are dropped: 1 MB or so. */
const MAX_WAITING = 1_000;
/** client-go's spam filter: 25 at once for each object, then one in five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;
/** client-go folds repeats within ten minutes into one. */
const SERIES_WINDOW_MS = 600_000;
/** What is remembered of objects and series; client-go keeps 4096. */
const MAX_REMEMBERED = 4_096;
const SEND_ATTEMPTS = 5;
const SEND_TIMEOUT_MS = 10_000;

interface Series {
  name: string;
  namespace: string;
  count: number;
  lastAt: Date;
  /** An update that waits to be sent: it will carry the newest count. */
  pending: boolean;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { logger, now = () => new Date() } = options;
  const events = resource<KubeObject>(options.client, {
    group: 'events.k8s.io',
    version: 'v1',
    plural: 'events',
    namespaced: true,
  });
  const buckets = new Map<string, TokenBucket>();
  const series = new Map<string, Series>();
  const waiting: (() => Promise<unknown>)[] = [];
  let sending: Promise<void> | undefined;

  function enqueue(send: () => Promise<unknown>): void {
    if (waiting.length >= MAX_WAITING) {
      logger.debug('too many events are waiting, one is dropped');
      return;
    }
    waiting.push(send);
    sending ??= sendAll().finally(() => (sending = undefined));
  }

  async function sendAll(): Promise<void> {
    // After the caller's burst, so that repeats in it need one update.
    await Promise.resolve();
    // One after the other: a series is only updated after it was created.
    for (let send = waiting.shift(); send; send = waiting.shift()) await attempt(send);
  }

  async function attempt(send: () => Promise<unknown>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await send();
        return;
      } catch (error) {
        const again = error instanceof KubeUnreachableError && tries < SEND_ATTEMPTS;
        if (!again) {
          // The namespace is going, the rights are missing: nobody is helped by more than a line.
          logger.debug(
            { error: error instanceof Error ? error.message : String(error) },
            'event not recorded',
          );
          return;
        }
        await sleep(backoffMs(tries, { baseMs: 500, capMs: 10_000 }));
      }
    }
  }

  function allowed(regarding: ObjectReference): boolean {
    const key = regarding.uid ?? `${regarding.kind}/${regarding.namespace}/${regarding.name}`;
    const bucket = buckets.get(key) ?? createTokenBucket(BURST, REFILL_MS, () => now().getTime());
    remember(buckets, key, bucket);
    return bucket.take();
  }

  function repeat(known: Series, at: Date): void {
    known.count += 1;
    known.lastAt = at;
    if (known.pending) return;
    known.pending = true;
    enqueue(() => {
      known.pending = false;
      const patch = { series: { count: known.count, lastObservedTime: microTime(known.lastAt) } };
      return events.mergePatch(known.name, known.namespace, patch, { timeoutMs: SEND_TIMEOUT_MS });
    });
  }

  return {
    emit(event) {
      if (!allowed(event.regarding)) return;
      const at = now();
      const key = JSON.stringify([
        event.regarding.uid,
        event.regarding.name,
        event.type,
        event.reason,
        event.action,
        event.note,
      ]);
      const known = series.get(key);
      if (known && at.getTime() - known.lastAt.getTime() < SERIES_WINDOW_MS) return repeat(known, at);
      const namespace = event.regarding.namespace ?? 'default';
      const name = eventName(event.regarding.name);
      remember(series, key, { name, namespace, count: 1, lastAt: at, pending: false });
      const object = { ...toEvent(event, options, at), metadata: { name, namespace } };
      // The name is ours alone, so a repetition after a lost answer can only meet itself: 409, and done.
      enqueue(() => events.create(object, { timeoutMs: SEND_TIMEOUT_MS }));
    },
    flush: (timeoutMs) => doneWithin(sending ?? Promise.resolve(), timeoutMs),
  };
}

function toEvent(event: EventInput, options: EventRecorderOptions, at: Date): Record<string, unknown> {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    eventTime: microTime(at),
    reportingController: options.reportingController,
    reportingInstance: options.reportingInstance.slice(0, 128),
    regarding: event.regarding,
    type: event.type,
    reason: event.reason,
    action: event.action,
    note: truncateUtf8(event.note, MAX_NOTE_BYTES),
  };
}

/** At most `maxBytes` of UTF-8, cut between characters, with an ellipsis where something was cut. */
export function truncateUtf8(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes - Buffer.byteLength('…');
  // 10xxxxxx continues a character: step back to where one begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString('utf8')}…`;
}

function eventName(regarding: string): string {
  // 253 characters is the limit of a name; the suffix takes 17.
  return `${regarding.slice(0, 230)}.${randomBytes(8).toString('hex')}`;
}

/** Sets `key` as the newest, and drops the oldest beyond what is remembered. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_REMEMBERED) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
