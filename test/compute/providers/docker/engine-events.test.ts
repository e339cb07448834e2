import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import type { Engine, EngineEvent } from '../../../../src/compute/providers/docker/engine.ts';
import { never, standInEngine, testClient, type EngineStandIn } from './engine-stand-in.ts';

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
  await vi.waitFor(() => expect(opened).toHaveBeenCalledTimes(1), 30_000);
  const text = [
    die,
    { ...die, Action: 'exec_die' },
    { ...die, Type: 'network' },
    { ...die, Action: 'health_status: healthy' },
  ]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
  stream.write(text.slice(0, 57));
  await sleep(10);
  stream.write(text.slice(57));
  await vi.waitFor(() => expect(seen).toHaveLength(2), 30_000);
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

test('onOpen waits for the engine to have taken the subscription', async () => {
  let answer = (): void => undefined;
  const order: string[] = [];
  const engine = await standInEngine((_request, response) => {
    answer = () => {
      order.push('taken');
      response.writeHead(200).flushHeaders();
    };
  });
  const controller = new AbortController();
  const onOpen = () => void order.push('open');
  const events = collect(testClient({ host: engine.host }), controller.signal, { onOpen });
  await vi.waitFor(() => expect(engine.requests).toHaveLength(1), 30_000);
  answer();
  await vi.waitFor(() => expect(order).toContain('open'), 30_000);
  expect(order).toEqual(['taken', 'open']);
  controller.abort();
  await events;
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
  await sleep(30);
  await expect(events.next()).rejects.toMatchObject({ code: 'ProviderUnavailable' });
});

test('a frozen engine, whose stream stays open, is found out by a question beside it', async () => {
  const alive = { value: true };
  const engine = await eventServer(alive);
  const client = testClient({ host: engine.host, probe: { intervalMs: 20, deadlineMs: 300 } });
  const events = collect(client, never);
  await engine.stream;
  await vi.waitFor(
    () => expect(engine.requests.filter((request) => request.endsWith('/_ping')).length).toBeGreaterThan(2),
    30_000,
  );
  alive.value = false;
  await expect(events).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('frozen'),
  });
});

test('a single question without an answer breaks nothing', async () => {
  let pings = 0;
  const engine = await standInEngine((request, response) => {
    if (request.url?.endsWith('/_ping') !== true) response.writeHead(200).flushHeaders();
    else if ((pings += 1) !== 2) response.end('OK');
  });
  const controller = new AbortController();
  const events = collect(
    testClient({ host: engine.host, probe: { intervalMs: 10, deadlineMs: 300 } }),
    controller.signal,
  );
  await vi.waitFor(() => expect(pings).toBeGreaterThan(4), 30_000);
  controller.abort();
  expect(await events).toEqual([]);
});

test('an engine that does not answer the subscription is given up at the deadline', async () => {
  const engine = await standInEngine(() => undefined);
  const events = collect(testClient({ host: engine.host, deadlineMs: 100 }), never);
  await expect(events).rejects.toMatchObject({ code: 'ProviderUnavailable' });
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
  await vi.waitFor(() => expect(engine.connections.size).toBe(0), 30_000);
});

test('who stops reading lets the connection and the questions go', async () => {
  const engine = await eventServer();
  const client = testClient({ host: engine.host, probe: { intervalMs: 10, deadlineMs: 1_000 } });
  const reading = (async () => {
    for await (const event of client.events([], () => undefined, never)) return event;
    return undefined;
  })();
  (await engine.stream).write(`${JSON.stringify(die)}\n`);
  expect(await reading).toMatchObject({ action: 'die' });
  // One is left: the pooled one of the questions.
  await vi.waitFor(() => expect(engine.connections.size).toBeLessThanOrEqual(1), 30_000);
  const asked = engine.requests.length;
  // Where somebody reads, questions go on meanwhile.
  const other = await eventServer();
  const probe = { intervalMs: 10, deadlineMs: 1_000 };
  const stop = new AbortController();
  const others = collect(testClient({ host: other.host, probe }), stop.signal);
  await vi.waitFor(() => expect(other.requests.length).toBeGreaterThan(5), 30_000);
  expect(engine.requests).toHaveLength(asked);
  stop.abort();
  await others;
});
