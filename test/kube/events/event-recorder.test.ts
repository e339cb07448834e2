import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createEventRecorder } from '../../../src/kube/events/event-recorder.ts';
import type { EventInput, EventRecorder } from '../../../src/kube/events/event-recorder.ts';
import { KubeApiError, KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';
import type { KubeClient } from '../../../src/kube/client/kube-client.ts';
import type { RequestOptions } from '../../../src/kube/client/http-exchange.ts';
import { recordingLogger } from '../recording-logger.ts';

const eventInput: EventInput = {
  regarding: {
    apiVersion: 'landlord.dev/v1alpha1',
    kind: 'Tenant',
    namespace: 'team-a',
    name: 'acme',
    uid: 'u1',
  },
  type: 'Normal',
  reason: 'Provisioned',
  action: 'Provision',
  note: 'running on docker',
};

interface SentEvent {
  metadata: { name: string; namespace: string };
  reportingInstance: string;
  note: string;
  series?: { count: number; lastObservedTime: string };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Until all is sent that can be, with the pauses between tries. */
async function flush(recorder: EventRecorder): Promise<boolean> {
  const all = recorder.flush(600_000);
  await vi.advanceTimersByTimeAsync(600_000);
  return all;
}

function startRecorder(
  handle: (options: RequestOptions, count: number) => void = () => {},
  reportingInstance = 'pod-1',
) {
  const sent: RequestOptions[] = [];
  const clock = { nowMs: Date.parse('2026-01-01T00:00:00.123Z') };
  const client = {
    request: async (options: RequestOptions) => {
      sent.push(options);
      await Promise.resolve();
      handle(options, sent.length);
    },
  } as unknown as KubeClient;
  const { logger, lines } = recordingLogger();
  const dropped: string[] = [];
  const recorder = createEventRecorder({
    client,
    reportingController: 'landlord.dev/operator',
    reportingInstance,
    logger,
    now: () => new Date(clock.nowMs),
    onDropped: (reason) => dropped.push(reason),
  });
  return { recorder, sent, dropped, clock, lines, bodies: () => sent.map(({ body }) => body as SentEvent) };
}

test('an event is created in the namespace of its object', async () => {
  const { recorder, sent, bodies } = startRecorder();
  recorder.emit(eventInput);
  expect(await flush(recorder)).toBe(true);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ method: 'POST', path: '/apis/events.k8s.io/v1/namespaces/team-a/events' });
  expect(bodies()[0]).toMatchObject({
    ...eventInput,
    eventTime: '2026-01-01T00:00:00.123000Z',
    reportingController: 'landlord.dev/operator',
    reportingInstance: 'pod-1',
    metadata: { namespace: 'team-a' },
  });
});

describe('repeats', () => {
  test('within ten minutes raise the count of the first one', async () => {
    const { recorder, sent, bodies, clock } = startRecorder();
    recorder.emit(eventInput);
    await flush(recorder);
    for (let index = 0; index < 4; index += 1) recorder.emit(eventInput);
    clock.nowMs += 60_000;
    await flush(recorder);
    // Four at once need one update.
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'PATCH']);
    expect(sent[1]?.path.endsWith(bodies()[0]?.metadata.name ?? '?')).toBe(true);
    expect(bodies()[1]?.series).toEqual({ count: 5, lastObservedTime: '2026-01-01T00:00:00.123000Z' });
    recorder.emit(eventInput);
    await flush(recorder);
    expect(bodies()[2]?.series).toEqual({ count: 6, lastObservedTime: '2026-01-01T00:01:00.123000Z' });
  });

  test('count from the last one: a series may go on for longer than ten minutes', async () => {
    const { recorder, sent, clock } = startRecorder();
    for (let index = 0; index < 4; index += 1) {
      recorder.emit(eventInput);
      await flush(recorder);
      clock.nowMs += 599_999;
    }
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH', 'PATCH']);
  });

  test.each<[what: string, other: Partial<EventInput>]>([
    ['type', { type: 'Warning' }],
    ['reason', { reason: 'Other' }],
    ['action', { action: 'Other' }],
    ['note', { note: 'other' }],
    ['object', { regarding: { ...eventInput.regarding, uid: 'u2' } }],
    ['name', { regarding: { ...eventInput.regarding, name: 'other' } }],
  ])('are none where the %s differs', async (_what, other) => {
    const { recorder, sent } = startRecorder();
    recorder.emit(eventInput);
    recorder.emit({ ...eventInput, ...other });
    await flush(recorder);
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'POST']);
  });

  test('are forgotten for the oldest beyond 4096', async () => {
    const { recorder, sent } = startRecorder();
    const about = (index: number): EventInput => ({
      ...eventInput,
      regarding: { ...eventInput.regarding, uid: `u${index}` },
    });
    for (let index = 0; index <= 4_096; index += 1) {
      recorder.emit(about(index));
      if (index % 500 === 0) await flush(recorder);
    }
    await flush(recorder);
    const before = sent.length;
    recorder.emit(about(1));
    await flush(recorder);
    recorder.emit(about(0));
    await flush(recorder);
    expect(sent.slice(before).map(({ method }) => method)).toEqual(['PATCH', 'POST']);
  });

  test('after that, and events with another note, are new ones', async () => {
    const { recorder, sent, clock } = startRecorder();
    recorder.emit(eventInput);
    recorder.emit({ ...eventInput, note: 'running on ecs' });
    clock.nowMs += 600_000;
    recorder.emit(eventInput);
    await flush(recorder);
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
  });
});

describe('a flood', () => {
  test('about one object is cut at 25, then one in five minutes; other objects are not concerned', async () => {
    const { recorder, sent, clock, dropped } = startRecorder();
    for (let index = 0; index < 100; index += 1) recorder.emit({ ...eventInput, note: String(index) });
    await flush(recorder);
    expect(sent).toHaveLength(25);
    expect(dropped).toEqual(Array<string>(75).fill('rate'));
    recorder.emit({ ...eventInput, regarding: { ...eventInput.regarding, name: 'other', uid: 'u2' } });
    clock.nowMs += 300_000;
    recorder.emit({ ...eventInput, note: 'a' });
    recorder.emit({ ...eventInput, note: 'b' });
    await flush(recorder);
    expect(sent).toHaveLength(27);
  });

  test('about an object without a UID is told by its kind, namespace and name', async () => {
    const { recorder, sent } = startRecorder();
    const { uid: _uid, ...regarding } = eventInput.regarding;
    for (const name of ['acme', 'other'])
      for (let index = 0; index < 30; index += 1)
        recorder.emit({ ...eventInput, regarding: { ...regarding, name }, note: String(index) });
    await flush(recorder);
    expect(sent).toHaveLength(50);
  });

  test('about the oldest object beyond 4096 is forgotten, one that goes on is not', async () => {
    const { recorder, sent } = startRecorder(() => undefined);
    const emit = (uid: string, note: string): void =>
      recorder.emit({ ...eventInput, regarding: { ...eventInput.regarding, uid }, note });
    const drainBuckets = async (): Promise<number> => {
      const before = sent.length;
      for (const uid of ['quiet', 'loud'])
        for (let index = 0; index < 30; index += 1) emit(uid, String(sent.length + index));
      await flush(recorder);
      return sent.length - before;
    };
    expect(await drainBuckets()).toBe(50);
    for (let index = 0; index < 4_095; index += 1) {
      emit(`u${index}`, '');
      if (index % 500 === 0) {
        emit('loud', 'x');
        await flush(recorder);
      }
    }
    await flush(recorder);
    expect(await drainBuckets()).toBe(25);
  });

  test('while the server is away keeps to a bound', async () => {
    const { recorder, sent, dropped } = startRecorder();
    for (let index = 0; index < 3_000; index += 1) {
      recorder.emit({
        ...eventInput,
        regarding: { ...eventInput.regarding, name: `t${index}`, uid: `u${index}` },
      });
    }
    await flush(recorder);
    expect(sent).toHaveLength(1_000);
    expect(dropped).toEqual(Array<string>(2_000).fill('queue'));
  });
});

describe('trouble', () => {
  test('a refusal is a debug line, and the next event is sent', async () => {
    const { recorder, sent, lines, dropped } = startRecorder((_options, count) => {
      if (count === 1)
        throw new KubeApiError('POST events', 403, { message: 'namespace is being terminated' });
    });
    recorder.emit(eventInput);
    recorder.emit({ ...eventInput, note: 'other' });
    expect(await flush(recorder)).toBe(true);
    expect(sent).toHaveLength(2);
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
    expect(dropped).toEqual(['refused']);
  });

  test('no answer is tried again, five times in all, and then that event is dropped', async () => {
    const { recorder, sent, lines, dropped } = startRecorder(({ body }) => {
      if ((body as SentEvent).note !== 'other') throw new KubeUnreachableError('gone');
    });
    recorder.emit(eventInput);
    recorder.emit({ ...eventInput, note: 'other' });
    expect(await flush(recorder)).toBe(true);
    expect(sent.map(({ body }) => (body as SentEvent).note)).toEqual([
      ...Array<string>(5).fill(eventInput.note),
      'other',
    ]);
    expect(lines.map(({ level, fields }) => [level, fields['error']])).toEqual([['debug', 'gone']]);
    expect(dropped).toEqual(['refused']);
  });

  test('no answer is waited out longer and longer', async () => {
    // The jitter at its longest.
    vi.spyOn(Math, 'random').mockReturnValue(1);
    onTestFinished(() => void vi.restoreAllMocks());
    const { recorder, sent } = startRecorder(() => {
      throw new KubeUnreachableError('gone');
    });
    recorder.emit(eventInput);
    const counts: number[] = [];
    for (const waitMs of [1_000, 2_000, 4_000, 8_000]) {
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      counts.push(sent.length);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(counts).toEqual([1, 2, 3, 4]);
    expect(sent).toHaveLength(5);
  });

  test('a request has 10 s, first or repeated', async () => {
    const { recorder, sent } = startRecorder();
    recorder.emit(eventInput);
    await flush(recorder);
    recorder.emit(eventInput);
    await flush(recorder);
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([10_000, 10_000]);
  });

  test('flush gives up after its time, and leaves no timer where all is sent before', async () => {
    const { recorder } = startRecorder((_options, count) => {
      if (count === 1) throw new KubeUnreachableError('gone');
    });
    expect(await recorder.flush(1_000)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    recorder.emit(eventInput);
    const early = recorder.flush(20);
    await vi.advanceTimersByTimeAsync(20);
    expect(await early).toBe(false);
    const late = recorder.flush(10_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await late).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('names and reporters are cut to what the apiserver takes, and a name is used once', async () => {
  const { recorder, bodies, sent } = startRecorder(undefined, 'p'.repeat(200));
  const regarding = { name: 'n'.repeat(253) };
  recorder.emit({ ...eventInput, regarding });
  recorder.emit({ ...eventInput, regarding, note: 'other' });
  await flush(recorder);
  const names = bodies().map(({ metadata }) => metadata.name);
  for (const name of names) expect(name).toMatch(/^n{230}\.[0-9a-f]{16}$/);
  expect(new Set(names).size).toBe(2);
  expect(bodies()[0]?.reportingInstance).toBe('p'.repeat(128));
  // An event about something without a namespace lives in the default one.
  expect(sent[0]?.path).toBe('/apis/events.k8s.io/v1/namespaces/default/events');
});

test('notes are cut at 1024 bytes, between characters', async () => {
  const { recorder, bodies } = startRecorder();
  recorder.emit({ ...eventInput, note: 'ä'.repeat(2_000) });
  await flush(recorder);
  const note = bodies()[0]?.note ?? '';
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
  expect(note).toMatch(/^ä{500,}…$/);
});
