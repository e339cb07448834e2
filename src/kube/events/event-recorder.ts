import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { createTokenBucket } from '../../async/token-bucket.ts';
import type { TokenBucket } from '../../async/token-bucket.ts';
import type { KubeClient } from '../client/kube-client.ts';
import type { KubeObject } from '../client/kube-object.ts';
import { microTime } from '../client/micro-time.ts';
import { resource } from '../client/resource.ts';
import { truncateUtf8 } from '../client/truncate-utf8.ts';
import { createSendQueue } from './send-queue.ts';
import type { SendLoss } from './send-queue.ts';

export interface ObjectReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface EventInput {
  /** What the event is about; `kubectl describe` finds it by the UID. */
  readonly regarding: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  /** Why, in one CamelCase word. */
  readonly reason: string;
  /** What was done, in one CamelCase word. */
  readonly action: string;
  /** For people; cut at 1024 bytes. */
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** Who reports, by a domain name: `example.com/controller`. */
  readonly reportingController: string;
  /** The pod or host. */
  readonly reportingInstance: string;
  readonly logger: Logger;
  readonly now?: () => Date;
  /** One is dropped; `rate`: there were too many of its object. */
  readonly onDropped?: (reason: SendLoss | 'rate') => void;
}

/** Tells users what happened, by events.k8s.io/v1. Events are best effort: none ever fails or delays its caller. */
export interface EventRecorder {
  /** Returns at once. The same event again within ten minutes raises the count of the first one. */
  emit(event: EventInput): void;
  /** Waits until all are sent, for `timeoutMs` at most. True where they are. */
  flush(timeoutMs: number): Promise<boolean>;
}

/** The apiserver refuses longer ones. */
const maxNoteBytes = 1024;
/** client-go's spam filter: 25 at once for each object, then one in five minutes. */
const burst = 25;
const refillMs = 300_000;
/** client-go folds repeats within ten minutes into one. */
const seriesWindowMs = 600_000;
/** What is remembered of objects and series; client-go keeps 4096. */
const maxRemembered = 4_096;
const sendTimeoutMs = 10_000;

const eventsResource = { group: 'events.k8s.io', version: 'v1', plural: 'events', namespaced: true };

interface Series {
  readonly name: string;
  readonly namespace: string;
  count: number;
  lastAt: Date;
  /** An update that waits to be sent: it will carry the newest count. */
  pending: boolean;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { logger, now = () => new Date() } = options;
  const events = resource<KubeObject>(options.client, eventsResource);
  const sends = createSendQueue({ logger, onLost: options.onDropped });
  const buckets = new Map<string, TokenBucket>();
  const series = new Map<string, Series>();

  function allowed({ uid, kind, namespace, name }: ObjectReference): boolean {
    const key = uid ?? `${kind}/${namespace}/${name}`;
    const bucket = buckets.get(key) ?? createTokenBucket(burst, refillMs, () => now().getTime());
    remember(buckets, key, bucket);
    return bucket.take();
  }

  function begin(event: EventInput, key: string, at: Date): void {
    const namespace = event.regarding.namespace ?? 'default';
    const name = eventName(event.regarding.name);
    remember(series, key, { name, namespace, count: 1, lastAt: at, pending: false });
    const object = { ...toEvent(event, options, at), metadata: { name, namespace } };
    // The name is ours alone, so a repetition after a lost answer can only meet itself: 409, and done.
    sends.add(() => events.create(object, { timeoutMs: sendTimeoutMs }));
  }

  function repeat(known: Series, at: Date): void {
    known.count += 1;
    known.lastAt = at;
    if (known.pending) return;
    known.pending = true;
    sends.add(() => {
      known.pending = false;
      const patch = { series: { count: known.count, lastObservedTime: microTime(known.lastAt) } };
      return events.mergePatch(known.name, known.namespace, patch, { timeoutMs: sendTimeoutMs });
    });
  }

  return {
    emit(event) {
      if (!allowed(event.regarding)) {
        options.onDropped?.('rate');
        return;
      }
      const at = now();
      const key = seriesKey(event);
      const known = series.get(key);
      if (known && at.getTime() - known.lastAt.getTime() < seriesWindowMs) repeat(known, at);
      else begin(event, key, at);
    },
    flush: (timeoutMs) => sends.flush(timeoutMs),
  };
}

/** Events that are the same but for their time are one series. */
function seriesKey({ regarding, type, reason, action, note }: EventInput): string {
  return JSON.stringify([regarding.uid, regarding.name, type, reason, action, note]);
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
    note: truncateUtf8(event.note, maxNoteBytes),
  };
}

function eventName(regarding: string): string {
  // 253 characters is the limit of a name; the suffix takes 17.
  return `${regarding.slice(0, 230)}.${randomBytes(8).toString('hex')}`;
}

/** Sets `key` as the newest, and drops the oldest beyond what is remembered. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxRemembered) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
