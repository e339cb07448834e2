import { expect, onTestFinished, vi } from 'vitest';
import { sleep } from '../../src/async/sleep.ts';
import type { KubeObject } from '../../src/kube/client/kube-object.ts';
import type { ObjectStream } from '../../src/kube/client/object-stream.ts';
import { createReflector } from '../../src/kube/cache/reflector.ts';
import type { ReflectorOptions } from '../../src/kube/cache/watch-loop.ts';
import type { ReflectorTiming } from '../../src/kube/cache/watch-request.ts';
import type {
  ListOptions,
  ObjectList,
  Resource,
  WatchEvent,
  WatchOptions,
} from '../../src/kube/client/resource.ts';
import { recordingLogger } from './recording-logger.ts';

export function object(name: string, resourceVersion: number, namespace = 'ns'): KubeObject {
  const metadata = {
    name,
    namespace,
    uid: `uid-${name}`,
    resourceVersion: String(resourceVersion),
    creationTimestamp: '',
  };
  return { metadata };
}

export function bookmark(resourceVersion: number, initialEventsEnd = false): WatchEvent<KubeObject> {
  const end = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const { metadata } = object('', resourceVersion);
  return { type: 'BOOKMARK', object: { metadata: { ...metadata, ...end } } };
}

export function expired(): WatchEvent<KubeObject> {
  return {
    type: 'ERROR',
    object: { code: 410, reason: 'Expired', message: 'too old' } as unknown as KubeObject,
  };
}

/** A number is a pause in milliseconds. */
export type Step = WatchEvent<KubeObject> | number | 'hang' | Error;
export type Watch = Step[] | Error;

/** A resource whose watches play a script each; after the last one they hang. */
export function scriptedResource(watches: Watch[], pages: ObjectList<KubeObject>[] = []) {
  const opened: WatchOptions[] = [];
  const lists: (ListOptions | undefined)[] = [];
  const resource = {
    id: 'tenants.landlord.dev',
    watch(options: WatchOptions): Promise<ObjectStream<WatchEvent<KubeObject>>> {
      const script = watches[opened.length] ?? ['hang'];
      opened.push(options);
      return script instanceof Error ? Promise.reject(script) : Promise.resolve(play(script, options));
    },
    async *pages(options?: ListOptions) {
      lists.push(options);
      for (const page of pages) {
        await Promise.resolve();
        yield page;
      }
    },
  } as unknown as Resource<KubeObject>;
  return { resource, opened, lists };
}

function play(script: Step[], { signal }: WatchOptions): ObjectStream<WatchEvent<KubeObject>> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  signal?.addEventListener('abort', () => aborted.reject(signal.reason as Error));
  let lastByteAtMs = performance.now();
  return {
    get lastByteAtMs() {
      return lastByteAtMs;
    },
    provesLife: false,
    abort: (reason) => aborted.reject(reason),
    async *[Symbol.asyncIterator]() {
      for (const step of script) {
        if (step === 'hang') await aborted.promise;
        else if (typeof step === 'number') await Promise.race([sleep(step), aborted.promise]);
        else if (step instanceof Error) throw step;
        else {
          lastByteAtMs = performance.now();
          yield step;
        }
        await Promise.resolve();
      }
    },
  };
}

export const fast: Partial<ReflectorTiming> = {
  errorBackoff: { baseMs: 1, capMs: 4 },
  unservedBackoff: { baseMs: 1, capMs: 4 },
  unreachableBackoff: { baseMs: 1, capMs: 4 },
  random: () => 0.5,
};

export function startReflector(
  script: ReturnType<typeof scriptedResource>,
  options: Partial<ReflectorOptions<KubeObject>> = {},
) {
  const events: string[] = [];
  const reconnects: string[] = [];
  const { logger, lines } = recordingLogger();
  const reflector = createReflector<KubeObject>({
    resource: script.resource,
    logger,
    timing: fast,
    metrics: { onReconnect: (_resource, reason) => reconnects.push(reason) },
    onEvent: ({ type, object: { metadata } }) =>
      events.push(`${type} ${metadata.name}@${metadata.resourceVersion}`),
    ...options,
  });
  const controller = new AbortController();
  const done = reflector.run(controller.signal);
  onTestFinished(async () => {
    controller.abort();
    await done;
  });
  return { reflector, events, reconnects, lines, controller, done };
}

/** Lets the fake clock run until something is the case, by steps of `stepMs`. */
export async function until(condition: () => boolean, stepMs = 1): Promise<void> {
  for (let steps = 0; steps < 10_000 && !condition(); steps += 1) await vi.advanceTimersByTimeAsync(stepMs);
  expect(condition()).toBe(true);
}
