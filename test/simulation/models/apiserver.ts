import { sleep } from '../../../src/async/sleep.ts';
import { KubeApiError, KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';
import type { KubeClient, StreamOptions } from '../../../src/kube/client/kube-client.ts';
import type { RequestOptions } from '../../../src/kube/client/http-exchange.ts';
import type { ObjectStream } from '../../../src/kube/client/object-stream.ts';
import type { MemoryApiserver } from '../../controller/memory-apiserver.ts';
import { memoryStream } from '../../controller/memory-stream.ts';
import type { Process } from '../process.ts';

/** How the network between an operator and the apiserver behaves. */
export interface ApiserverNetwork {
  latencyMs(): number;
  /** Why the request fails before the apiserver hears of it; undefined: it does not. */
  fails(method: string, path: string): Error | undefined;
  /** Whether the answer gets lost after the apiserver has done what was asked. */
  losesAnswer(method: string, path: string): boolean;
  /** Milliseconds by which what a watch tells is behind what is stored. */
  watchLagMs(): number;
  /** Watches that stand before it are told that their version is gone. */
  expiredBelow(): number;
}

/** The apiserver as one operator process reaches it. */
export function simulatedKubeClient(
  apiserver: MemoryApiserver,
  network: ApiserverNetwork,
  process: Process,
): KubeClient {
  const client = apiserver.clientOf(process.name);
  return {
    async request<T>(options: RequestOptions): Promise<T> {
      const { method, path, signal } = options;
      await arrive(network, process, options);
      const answer = client.request<T>(withoutSignal(options));
      await answer.catch(() => undefined);
      await sleep(network.latencyMs() / 2, signal);
      await process.livesOn(signal);
      signal?.throwIfAborted();
      if (network.losesAnswer(method, path))
        throw new KubeUnreachableError('the connection broke', { outcomeUnknown: true });
      return answer;
    },
    async stream<T>(options: StreamOptions): Promise<ObjectStream<T>> {
      await arrive(network, process, { ...options, method: 'WATCH' });
      const { path, query = {}, signal } = options;
      const since = query['resourceVersion'];
      if (since !== undefined && Number(since) < network.expiredBelow())
        throw new KubeApiError(`watch of ${path}`, 410, { reason: 'Expired', code: 410 });
      const inner = await client.stream<T>(options);
      return late(inner, network, { process, signal });
    },
    close: async () => undefined,
  };
}

function withoutSignal(options: RequestOptions): RequestOptions {
  const { signal: _signal, ...rest } = options;
  return rest;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly signal?: AbortSignal;
}

async function arrive(
  network: ApiserverNetwork,
  process: Process,
  { method, path, signal }: Asked,
): Promise<void> {
  signal?.throwIfAborted();
  await process.livesOn(signal);
  await sleep(network.latencyMs() / 2, signal);
  await process.livesOn(signal);
  signal?.throwIfAborted();
  const failure = network.fails(method, path);
  if (failure !== undefined) throw failure;
}

interface Reader {
  readonly process: Process;
  readonly signal: AbortSignal | undefined;
}

/** The same in the same order, each a little later. What is on its way when the connection breaks is lost. */
function late<T>(
  inner: ObjectStream<T>,
  network: ApiserverNetwork,
  { process, signal }: Reader,
): ObjectStream<T> {
  const outer = memoryStream<T>(() => undefined);
  let lastMs = 0;
  const follow = async (): Promise<void> => {
    try {
      for await (const event of inner) {
        lastMs = Math.max(lastMs, Date.now() + network.watchLagMs());
        setTimeout(() => {
          if (process.isAlive) outer.push(event);
        }, lastMs - Date.now());
      }
    } catch (error) {
      outer.abort(error as Error);
    }
  };
  void follow();
  signal?.addEventListener('abort', () => outer.abort(signal.reason as Error), { once: true });
  return {
    get lastByteAtMs() {
      return outer.lastByteAtMs;
    },
    provesLife: outer.provesLife,
    abort(reason) {
      inner.abort(reason);
      outer.abort(reason);
    },
    [Symbol.asyncIterator]: () => outer[Symbol.asyncIterator](),
  };
}
