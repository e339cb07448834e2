import { ComputeError } from '../../../errors.ts';
import type { EngineConnection } from './engine-connection.ts';
import { readAnswer } from './answers/answer.ts';
import { connectionFailure, failedRead, silentEngine } from './engine-errors.ts';
import type { EngineEvent } from './engine.ts';
import { eventSieve, labelRule } from './answers/container-sieve.ts';
import { siftedValues } from './answers/sifted.ts';
import { startDeadline } from '../../../../async/deadline.ts';
import type { Deadline } from '../../../../async/deadline.ts';
import { sleep } from '../../../../async/sleep.ts';

/**
 * What changes a container's state. Not the exec_… that each health probe makes three of: the engine's replay and its
 * connection would be full of them.
 */
const actions = [
  'create',
  'start',
  'die',
  'stop',
  'kill',
  'oom',
  'pause',
  'unpause',
  'rename',
  'update',
  'destroy',
  'health_status',
];

/** A frozen engine keeps its connections open: only a question beside the stream tells it from a quiet one. */
export interface ProbeTiming {
  /** Milliseconds between two questions. */
  readonly intervalMs: number;
  /** Milliseconds that each may take. */
  readonly deadlineMs: number;
}

export interface EventsOptions {
  readonly labels: readonly string[];
  /** See `EngineClientOptions`. */
  readonly marks?: ReadonlySet<string> | undefined;
  readonly onOpen: () => void;
  readonly probe: ProbeTiming;
}

/** See `Engine.events`. Ends when `signal` aborts; throws ProviderUnavailable when the stream breaks. */
export async function* engineEvents(
  connection: EngineConnection,
  { labels, marks, onOpen, probe }: EventsOptions,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, void, void> {
  if (signal.aborted) return;
  const { host, deadlineMs } = connection;
  const opening = startDeadline({
    timeoutMs: deadlineMs,
    caller: signal,
    late: () => silentEngine(host),
  });
  try {
    const filters = { type: ['container'], label: labels, event: actions };
    const request = { method: 'GET', path: '/events', query: { filters } } as const;
    const response = await connection.open(request, opening.signal);
    if (response.statusCode !== 200) throw failedRead(host, await readAnswer(response, { host, ...request }));
    opening.stopTimer();
    onOpen();
    void breakWhenSilent(connection, probe, opening);
    for await (const value of siftedValues(response, eventSieve(labelRule(labels, marks)))) {
      const event = eventOf(value);
      if (event !== undefined) yield event;
    }
    throw Object.assign(new Error('the event stream ended'), { code: 'ECONNRESET' });
  } catch (error) {
    if (signal.aborted) return;
    const reason: unknown = opening.signal.aborted ? opening.signal.reason : error;
    throw reason instanceof ComputeError ? reason : connectionFailure(host, reason);
  } finally {
    opening.clear();
    opening.abort();
  }
}

/** Aborts the stream after two questions in a row without an answer; the second follows at once. Never rejects. */
async function breakWhenSilent(
  connection: EngineConnection,
  { intervalMs, deadlineMs }: ProbeTiming,
  stream: Pick<Deadline, 'signal' | 'abort'>,
): Promise<void> {
  const { signal } = stream;
  const answers = async (): Promise<boolean> => {
    try {
      await connection.ask({ method: 'GET', path: '/_ping' }, signal, { deadlineMs });
      return true;
    } catch {
      return false;
    }
  };
  while (!signal.aborted) {
    await sleep(intervalMs, signal, { ref: false });
    if (signal.aborted || (await answers()) || (await answers())) continue;
    stream.abort(silentEngine(connection.host));
  }
}

/** Undefined for what the filters were to keep away. */
function eventOf(value: unknown): EngineEvent | undefined {
  const { Type, Action, Actor, time, timeNano } = value as {
    readonly Type?: string;
    readonly Action?: string;
    readonly Actor?: { readonly ID?: string; readonly Attributes?: Record<string, string> };
    readonly time?: number;
    readonly timeNano?: number;
  };
  if (Type !== 'container' || Action === undefined || Actor?.ID === undefined) return undefined;
  if (!actions.includes(Action.split(':')[0] ?? '')) return undefined;
  const timeMs = timeNano === undefined ? (time ?? 0) * 1000 : Math.floor(timeNano / 1e6);
  return { action: Action, id: Actor.ID, attributes: Actor.Attributes ?? {}, timeMs };
}
