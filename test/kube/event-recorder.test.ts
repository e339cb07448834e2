import { describe, expect, onTestFinished, test } from 'vitest';
import { createEventRecorder, truncateUtf8, type EventInput } from '../../src/kube/event-recorder.ts';
import {
  KubeApiError,
  KubeUnreachableError,
  type KubeClient,
  type RequestOptions,
} from '../../src/kube/kube-client.ts';
import { recordingLogger } from './recording-logger.ts';

const EVENT: EventInput = {
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
  metadata: { name: string };
  note: string;
  series?: { count: number };
}

function startRecorder(handle: (options: RequestOptions, count: number) => void = () => {}) {
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
  const recorder = createEventRecorder({
    client,
    reportingController: 'landlord.dev/operator',
    reportingInstance: 'pod-1',
    logger,
    now: () => new Date(clock.nowMs),
  });
  onTestFinished(async () => void (await recorder.flush(1_000)));
  return { recorder, sent, clock, lines, bodies: () => sent.map(({ body }) => body as SentEvent) };
}

test('an event is created in the namespace of its object', async () => {
  const { recorder, sent, bodies } = startRecorder();
  recorder.emit(EVENT);
  expect(await recorder.flush(1_000)).toBe(true);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ method: 'POST', path: '/apis/events.k8s.io/v1/namespaces/team-a/events' });
  expect(bodies()[0]).toMatchObject({
    ...EVENT,
    eventTime: '2026-01-01T00:00:00.123000Z',
    reportingController: 'landlord.dev/operator',
    reportingInstance: 'pod-1',
    metadata: { namespace: 'team-a' },
  });
});

describe('repeats', () => {
  test('within ten minutes raise the count of the first one', async () => {
    const { recorder, sent, bodies, clock } = startRecorder();
    recorder.emit(EVENT);
    await recorder.flush(1_000);
    for (let index = 0; index < 4; index += 1) recorder.emit(EVENT);
    clock.nowMs += 60_000;
    await recorder.flush(1_000);
    // Four at once need one update.
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'PATCH']);
    expect(sent[1]?.path.endsWith(bodies()[0]?.metadata.name ?? '?')).toBe(true);
    expect(bodies()[1]?.series).toMatchObject({ count: 5 });
  });

  test('after that, and events with another note, are new ones', async () => {
    const { recorder, sent, clock } = startRecorder();
    recorder.emit(EVENT);
    recorder.emit({ ...EVENT, note: 'running on ecs' });
    clock.nowMs += 600_000;
    recorder.emit(EVENT);
    await recorder.flush(1_000);
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
  });
});

describe('a flood', () => {
  test('about one object is cut at 25, then one in five minutes; other objects are not concerned', async () => {
    const { recorder, sent, clock } = startRecorder();
    for (let index = 0; index < 100; index += 1) recorder.emit({ ...EVENT, note: String(index) });
    await recorder.flush(1_000);
    expect(sent).toHaveLength(25);
    recorder.emit({ ...EVENT, regarding: { ...EVENT.regarding, name: 'other', uid: 'u2' } });
    clock.nowMs += 300_000;
    recorder.emit({ ...EVENT, note: 'a' });
    recorder.emit({ ...EVENT, note: 'b' });
    await recorder.flush(1_000);
    expect(sent).toHaveLength(27);
  });

  test('while the server is away keeps to a bound', async () => {
    const { recorder, sent } = startRecorder();
    for (let index = 0; index < 3_000; index += 1) {
      recorder.emit({ ...EVENT, regarding: { ...EVENT.regarding, name: `t${index}`, uid: `u${index}` } });
    }
    await recorder.flush(5_000);
    expect(sent).toHaveLength(1_000);
  });
});

describe('trouble', () => {
  test('a refusal is a debug line, and the next event is sent', async () => {
    const { recorder, sent, lines } = startRecorder((_options, count) => {
      if (count === 1)
        throw new KubeApiError('POST events', 403, { message: 'namespace is being terminated' });
    });
    recorder.emit(EVENT);
    recorder.emit({ ...EVENT, note: 'other' });
    expect(await recorder.flush(1_000)).toBe(true);
    expect(sent).toHaveLength(2);
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
  });

  test('no answer is tried again', async () => {
    const { recorder, sent } = startRecorder((_options, count) => {
      if (count === 1) throw new KubeUnreachableError('gone');
    });
    recorder.emit(EVENT);
    expect(await recorder.flush(5_000)).toBe(true);
    expect(sent).toHaveLength(2);
  });

  test('flush gives up after its time', async () => {
    const { recorder } = startRecorder((_options, count) => {
      if (count < 3) throw new KubeUnreachableError('gone');
    });
    recorder.emit(EVENT);
    expect(await recorder.flush(20)).toBe(false);
    expect(await recorder.flush(10_000)).toBe(true);
  });
});

test('notes are cut at 1024 bytes, between characters', async () => {
  const { recorder, bodies } = startRecorder();
  recorder.emit({ ...EVENT, note: 'ä'.repeat(2_000) });
  await recorder.flush(1_000);
  const note = bodies()[0]?.note ?? '';
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
  expect(note).toMatch(/^ä{500,}…$/);
  expect(truncateUtf8('short', 1024)).toBe('short');
});
