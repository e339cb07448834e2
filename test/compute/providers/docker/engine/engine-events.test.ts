import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type * as sleeping from '../../../../../src/async/sleep.ts';
import { sleep } from '../../../../../src/async/sleep.ts';
import type { Engine, EngineEvent } from '../../../../../src/compute/providers/docker/engine/engine.ts';
import { never, standInEngine, testClient, turns, until } from '../engine-stand-in.ts';
import type { EngineStandIn } from '../engine-stand-in.ts';

vi.mock('../../../../../src/async/sleep.ts', async (original) => {
  const real = await original<typeof sleeping>();
  return { sleep: vi.fn<typeof sleep>(real.sleep) };
});

// The sockets are real; only the clock is moved.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => {
  vi.useRealTimers();
  vi.mocked(sleep).mockClear();
});
const later = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));

const probe = { intervalMs: 10_000, deadlineMs: 5_000 };
/** Between two questions there is a sleep: so many were answered, or given up. */
const sleeps = (): number => vi.mocked(sleep).mock.calls.length;

interface EventServer extends EngineStandIn {
  readonly stream: Promise<ServerResponse>;
}

/** An engine whose event stream the test writes, and whose /_ping answers while `alive.value`. */
async function eventServer(alive = { value: true }): Promise<EventServer> {
  const { promise: stream, resolve } = Promise.withResolvers<ServerResponse>();
  const engine = await standInEngine((request, response) => {
    if (request.url?.endsWith('/_ping') === true) {
      if (alive.value) response.end('OK');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    resolve(response);
  });
  return { ...engine, stream };
}

async function collect(
  engine: Engine,
  signal: AbortSignal,
  { onOpen = () => undefined, seen = [] }: { onOpen?: () => void; seen?: EngineEvent[] } = {},
): Promise<EngineEvent[]> {
  for await (const event of engine.events(['landlord.owner=default'], onOpen, signal)) seen.push(event);
  return seen;
}

const die = {
  Type: 'container',
  Action: 'die',
  Actor: { ID: 'c1', Attributes: { name: 'web', exitCode: '137' } },
  time: 1_700_000_000,
  timeNano: 1_700_000_000_123_456_000,
};

test('events of our labels come as they are, and health probes are asked not to be sent', async () => {
  const engine = await eventServer();
  const controller = new AbortController();
  const opened = vi.fn<() => void>();
  const seen: EngineEvent[] = [];
  const events = collect(testClient({ host: engine.host }), controller.signal, { onOpen: opened, seen });
  const stream = await engine.stream;
  await until(() => opened.mock.calls.length > 0);
  const text = [
    die,
    { ...die, Action: 'exec_die' },
    { ...die, Type: 'network' },
    { ...die, Action: 'health_status: healthy' },
  ]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
  const half = text.indexOf('\n') + 57;
  stream.write(text.slice(0, half));
  await until(() => seen.length === 1);
  stream.write(text.slice(half));
  await until(() => seen.length === 2);
  controller.abort();
  expect(await events).toEqual([
    { action: 'die', id: 'c1', attributes: { name: 'web', exitCode: '137' }, timeMs: 1_700_000_000_123 },
    {
      action: 'health_status: healthy',
      id: 'c1',
      attributes: { name: 'web', exitCode: '137' },
      timeMs: 1_700_000_000_123,
    },
  ]);
  const filters = JSON.parse(
    new URL(`http://engine${engine.requests[0]?.slice('GET '.length)}`).searchParams.get('filters') ?? '',
  ) as Record<string, string[]>;
  expect(filters).toMatchObject({ type: ['container'], label: ['landlord.owner=default'] });
  expect(filters['event']).toContain('health_status');
  expect(filters['event']?.some((name) => name.startsWith('exec'))).toBe(false);
});

test('of images, what the engine remembers is asked for as well, and of everybody', async () => {
  const engine = await eventServer();
  const controller = new AbortController();
  const seen: EngineEvent[] = [];
  const hear = async (): Promise<void> => {
    const client = testClient({ host: engine.host });
    for await (const event of client.imageEvents(
      ['landlord.owner=default'],
      () => undefined,
      controller.signal,
    ))
      seen.push(event);
  };
  const hearing = hear();
  const stream = await engine.stream;
  const pull = { ...die, Type: 'image', Action: 'pull', Actor: { ID: 'app:1', Attributes: { name: 'app' } } };
  const Attributes = { image: 'app:1', name: 'hers', 'landlord.owner': 'default', size: 'large' };
  const create = { ...die, Action: 'create', Actor: { ID: 'c1', Attributes } };
  const untag = { ...pull, Action: 'untag' };
  for (const event of [pull, untag, die, create]) stream.write(`${JSON.stringify(event)}\n`);
  await until(() => seen.length === 2);
  controller.abort();
  await hearing;
  expect(seen).toMatchObject([
    { action: 'pull', id: 'app:1', timeMs: 1_700_000_000_123 },
    { action: 'create', id: 'c1', attributes: { image: 'app:1', 'landlord.owner': 'default' } },
  ]);
  const { searchParams } = new URL(`http://engine${engine.requests[0]?.slice('GET '.length)}`);
  expect(searchParams.get('since')).toBe('0');
  const filters = JSON.parse(searchParams.get('filters') ?? '') as Record<string, string[]>;
  expect(filters).toMatchObject({ type: ['image', 'container'] });
  expect(filters).not.toHaveProperty('label');
});

test('onOpen waits for the engine to have taken the subscription', async () => {
  let answer = (): void => undefined;
  const engine = await standInEngine((_request, response) => {
    answer = () => response.writeHead(200).flushHeaders();
  });
  const controller = new AbortController();
  const opened = vi.fn<() => void>();
  const events = collect(testClient({ host: engine.host }), controller.signal, { onOpen: opened });
  await until(() => engine.requests.length === 1);
  await turns();
  expect(opened).not.toHaveBeenCalled();
  answer();
  await until(() => opened.mock.calls.length > 0);
  controller.abort();
  await events;
  expect(opened).toHaveBeenCalledTimes(1);
});

test.each([
  ['dies', (stream: ServerResponse) => void stream.destroy()],
  ['ends in good order', (stream: ServerResponse) => void stream.end()],
])('an engine that %s ends the iterator with ProviderUnavailable', async (_how, end) => {
  const engine = await eventServer();
  const events = collect(testClient({ host: engine.host }), never);
  end(await engine.stream);
  await expect(events).rejects.toMatchObject({ code: 'ProviderUnavailable' });
});

test('a stream that breaks while nobody reads is no unhandled error', async () => {
  const engine = await eventServer();
  const iterable = testClient({ host: engine.host }).events([], () => undefined, never);
  const events = iterable[Symbol.asyncIterator]();
  const first = events.next();
  const stream = await engine.stream;
  stream.write(`${JSON.stringify(die)}\n`);
  expect((await first).value).toMatchObject({ action: 'die' });
  stream.destroy();
  // One is left: the pooled one of the calls.
  await until(() => engine.connections.size <= 1);
  await turns();
  await expect(events.next()).rejects.toMatchObject({ code: 'ProviderUnavailable' });
});

test('a frozen engine, whose stream stays open, is found out by a question beside it', async () => {
  const alive = { value: true };
  const engine = await eventServer(alive);
  const pings = () => engine.requests.filter((request) => request.endsWith('/_ping')).length;
  const ending = collect(testClient({ host: engine.host, probe }), never).catch((error: unknown) => error);
  await engine.stream;
  // Longer than the engine may take to open the stream.
  for (let answered = 1; answered <= 4; answered += 1) {
    await until(() => sleeps() === answered);
    expect(pings()).toBe(answered - 1);
    await later(probe.intervalMs);
    await until(() => pings() === answered);
  }
  await until(() => sleeps() === 5);
  // The wait for the next question keeps no process alive.
  expect(vi.mocked(sleep).mock.lastCall?.[2]).toMatchObject({ ref: false });
  alive.value = false;
  await later(probe.intervalMs);
  await until(() => pings() === 5);
  await later(probe.deadlineMs);
  await until(() => pings() === 6);
  await later(probe.deadlineMs);
  expect(await ending).toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('frozen') as string,
  });
});

test('a single question without an answer breaks nothing', async () => {
  let pings = 0;
  const engine = await standInEngine((request, response) => {
    if (request.url?.endsWith('/_ping') !== true) response.writeHead(200).flushHeaders();
    else if ((pings += 1) !== 1) response.end('OK');
  });
  const controller = new AbortController();
  const events = collect(testClient({ host: engine.host, probe }), controller.signal);
  await until(() => sleeps() === 1);
  await later(probe.intervalMs);
  await until(() => pings === 1);
  await later(probe.deadlineMs);
  await until(() => pings === 2 && sleeps() === 2);
  await later(probe.intervalMs);
  await until(() => pings === 3 && sleeps() === 3);
  controller.abort();
  expect(await events).toEqual([]);
});

test('an engine that does not answer the subscription is given up at the deadline', async () => {
  const engine = await standInEngine(() => undefined);
  const ending = collect(testClient({ host: engine.host, deadlineMs: 7_000 }), never).catch(
    (error: unknown) => error,
  );
  await until(() => engine.requests.length === 1);
  await later(7_000);
  expect(await ending).toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('does not answer in time') as string,
  });
});

test('an engine that refuses the subscription is told with what it says', async () => {
  const engine = await standInEngine((_request, response) => {
    response.writeHead(500).end(JSON.stringify({ message: 'no events today' }));
  });
  await expect(collect(testClient({ host: engine.host }), never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: `Docker Engine at ${engine.host} answered 500: no events today`,
  });
});

test('what is no event of a container passes by, and what an event leaves out is empty', async () => {
  const engine = await eventServer();
  const controller = new AbortController();
  const seen: EngineEvent[] = [];
  const events = collect(testClient({ host: engine.host }), controller.signal, { seen });
  const Actor = { ID: 'c1' };
  const told = [
    { Type: 'network', Action: 'die', Actor },
    { Type: 'container', Actor },
    { Type: 'container', Action: 'die' },
    { Type: 'container', Action: 'die', Actor: {} },
    { Type: 'container', Action: 'exec_start: /ok', Actor },
    { Type: 'container', Action: 'die', Actor, time: 5 },
    { Type: 'container', Action: 'start', Actor },
  ];
  (await engine.stream).write(told.map((event) => `${JSON.stringify(event)}\n`).join(''));
  await until(() => seen.length === 2);
  controller.abort();
  expect(await events).toEqual([
    { action: 'die', id: 'c1', attributes: {}, timeMs: 5_000 },
    { action: 'start', id: 'c1', attributes: {}, timeMs: 0 },
  ]);
});

test('an abort ends the iterator quietly, before, while and after it opens, and lets the connection go', async () => {
  const engine = await eventServer();
  const client = testClient({ host: engine.host });
  expect(await collect(client, AbortSignal.abort())).toEqual([]);
  const controller = new AbortController();
  const events = collect(client, controller.signal);
  await engine.stream;
  controller.abort();
  expect(await events).toEqual([]);
  client.close();
  await until(() => engine.connections.size === 0);
});

test('who stops reading lets the connection and the questions go', async () => {
  const engine = await eventServer();
  const client = testClient({ host: engine.host, probe });
  const reading = (async () => {
    for await (const event of client.events([], () => undefined, never)) return event;
    return undefined;
  })();
  (await engine.stream).write(`${JSON.stringify(die)}\n`);
  expect(await reading).toMatchObject({ action: 'die' });
  // One is left: the pooled one of the calls.
  await until(() => engine.connections.size <= 1);
  expect(vi.getTimerCount()).toBe(0);
  await later(10 * probe.intervalMs);
  await turns();
  expect(engine.requests).toHaveLength(1);
});
