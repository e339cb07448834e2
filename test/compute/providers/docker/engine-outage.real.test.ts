import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startPrivateDockerEngine } from '../../../../dev/docker-engine.ts';
import type { PrivateDockerEngine } from '../../../../dev/docker-engine.ts';
import type { Engine } from '../../../../src/compute/providers/docker/engine/engine.ts';
import { never, testClient } from './engine-stand-in.ts';

/** An engine of its own: it is killed and frozen. */
let docker: PrivateDockerEngine;
const leaks: unknown[] = [];
const note = (error: unknown): void => void leaks.push(error);

beforeAll(async () => {
  docker = await startPrivateDockerEngine();
});

afterAll(async () => {
  await docker.stop();
});

beforeEach(() => {
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
});

afterEach(() => {
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
  // They would have ended the operator's process.
  if (leaks.length > 0) throw new AggregateError(leaks.splice(0), 'errors that nobody handled');
});

interface Stream {
  /** What the iterator threw; undefined where it ended quietly. */
  readonly end: Promise<unknown>;
}

async function openStream(engine: Engine): Promise<Stream> {
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  const read = async (): Promise<unknown> => {
    try {
      for await (const event of engine.events([], resolve, never)) void event;
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const end = read();
  await opened;
  return { end };
}

test('an engine that is killed ends its event stream and refuses calls, and answers again once it is back', async () => {
  const engine = testClient({ host: docker.host });
  await engine.listContainers([], never);
  const stream = await openStream(engine);
  const calls = Array.from({ length: 20 }, async () => {
    for (;;) await engine.listNetworks({}, never);
  });
  const ends = Promise.allSettled(calls);
  await docker.kill();
  expect(await stream.end).toMatchObject({ code: 'ProviderUnavailable' });
  for (const end of await ends)
    expect(end).toMatchObject({ status: 'rejected', reason: { code: 'ProviderUnavailable' } });
  await expect(engine.createVolume({ Name: 'late' }, never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringMatching(/does not answer \(E\w+\).*dockerd running/),
  });
  await docker.start();
  expect(await engine.listContainers([], never)).toEqual([]);
  const again = await openStream(engine);
  await docker.kill();
  expect(await again.end).toMatchObject({ code: 'ProviderUnavailable' });
  await docker.start();
});

test('a frozen engine ends its event stream and lets no call hang, and answers again once it thaws', async () => {
  const engine = testClient({
    host: docker.host,
    deadlineMs: 1_000,
    probe: { intervalMs: 300, deadlineMs: 300 },
  });
  const stream = await openStream(engine);
  docker.freeze();
  try {
    const frozen = { code: 'ProviderUnavailable', message: expect.stringContaining('frozen') };
    await expect(engine.listContainers([], never)).rejects.toMatchObject(frozen);
    await expect(engine.startContainer('nothing', never)).rejects.toMatchObject(frozen);
    expect(await stream.end).toMatchObject(frozen);
    const aborted = new AbortController();
    const call = engine.listContainers([], aborted.signal);
    aborted.abort();
    await expect(call).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  } finally {
    docker.thaw();
  }
  expect(await engine.listContainers([], never)).toEqual([]);
});

test('a quiet engine is not taken for a frozen one', async () => {
  const engine = testClient({ host: docker.host, probe: { intervalMs: 20, deadlineMs: 5_000 } });
  const stream = await openStream(engine);
  const end = await Promise.race([
    stream.end,
    new Promise((resolve) => setTimeout(() => resolve('open'), 500)),
  ]);
  expect(end).toBe('open');
});
