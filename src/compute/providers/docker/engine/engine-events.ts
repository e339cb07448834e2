import { ComputeError } from '../../../errors.ts';
import type { EngineConnection } from './engine-connection.ts';
import { readAnswer } from './answers/answer.ts';
import { connectionFailure, failedRead, silentEngine } from './engine-errors.ts';
import type { EngineEvent } from './engine.ts';
import { eventSieve, imageEventSieve, labelRule } from './answers/container-sieve.ts';
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

/** By which somebody makes an image theirs, or shows that it is: to remove it is none. */
const imageActions = ['pull', 'push', 'tag', 'load', 'import', 'save'];

interface Subject {
  readonly types: readonly string[];
  readonly actions: readonly string[];
  readonly sieve: typeof eventSieve;
  /** Seconds since the epoch, from which on the engine tells what it remembers. Undefined: what comes. */
  readonly since?: string;
}

const subjects: Readonly<Record<'containers' | 'images', Subject>> = {
  containers: { types: ['container'], actions, sieve: eventSieve },
  images: {
    types: ['image', 'container'],
    actions: [...imageActions, 'create'],
    sieve: imageEventSieve,
    since: '0',
  },
};

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
  /** Default: containers. */
  readonly of?: keyof typeof subjects;
}

/** See `Engine.events`. Ends when `signal` aborts; throws ProviderUnavailable when the stream breaks. */
export async function* engineEvents(
  connection: EngineConnection,
  { labels, marks, onOpen, probe, of = 'containers' }: EventsOptions,
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
    const { types, actions: event, sieve, since } = subjects[of];
    const filters = { type: types, event, ...(of === 'containers' && { label: labels }) };
    const query = { filters, ...(since !== undefined && { since }) };
    const request = { method: 'GET', path: '/events', query } as const;
    const response = await connection.open(request, opening.signal);
    if (response.statusCode !== 200) throw failedRead(host, await readAnswer(response, { host, ...request }));
    opening.stopTimer();
    onOpen();
    void breakWhenSilent(connection, probe, opening);
    for await (const value of siftedValues(response, sieve(labelRule(labels, marks)))) {
      const told = eventOf(value, subjects[of]);
      if (told !== undefined) yield told;
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
function eventOf(value: unknown, { types, actions: wanted }: Subject): EngineEvent | undefined {
  const { Type, Action, Actor, time, timeNano } = value as {
    readonly Type?: string;
    readonly Action?: string;
    readonly Actor?: { readonly ID?: string; readonly Attributes?: Record<string, string> };
    readonly time?: number;
    readonly timeNano?: number;
  };
  if (Type === undefined || !types.includes(Type)) return undefined;
  if (Action === undefined || Actor?.ID === undefined) return undefined;
  if (!wanted.includes(Action.split(':')[0] ?? '')) return undefined;
  const timeMs = timeNano === undefined ? (time ?? 0) * 1000 : Math.floor(timeNano / 1e6);
  return { action: Action, id: Actor.ID, attributes: Actor.Attributes ?? {}, timeMs };
}
