import { pino } from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ComputeError } from '../../../../src/compute/errors.ts';
import { createImagePulls } from '../../../../src/compute/providers/docker/image-pulls.ts';
import { credentialFor } from '../../../../src/compute/providers/docker/registry-credentials.ts';
import { SecretValue } from '../../../../src/compute/secret-value.ts';
import { memoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const logger = pino({ level: 'silent' });
const request = (tenantId: string, image: string) => ({ tenantId, image, credential: undefined });
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

function bench() {
  const engine = memoryEngine();
  const hints: string[] = [];
  return { engine, hints, pulls: createImagePulls(engine, logger, (tenantId) => void hints.push(tenantId)) };
}

it('a pull is under way at once, is shared, and hints at everyone who waits for it', async () => {
  const { engine, hints, pulls } = bench();
  const [a, b] = [request('a', 'app:1'), request('b', 'app:1')];
  expect(await Promise.all([pulls.ensure(a, signal), pulls.ensure(b, signal)])).toEqual([
    'pulling',
    'pulling',
  ]);
  await turn();
  expect(hints).toEqual(['a', 'b']);
  expect(engine.calls.filter((call) => call === 'pullImage')).toHaveLength(1);
  expect(await pulls.ensure(a, signal)).toBe('present');
});

it('a failed pull is told to everyone who waits, with the time of the next one, until one succeeds', async () => {
  const { engine, hints, pulls } = bench();
  const [a, b] = [request('a', 'missing:1'), request('b', 'missing:1')];
  await Promise.all([pulls.ensure(a, signal), pulls.ensure(b, signal)]);
  await turn();
  expect(hints).toEqual(['a', 'b']);
  for (const waiting of [a, b, a]) {
    await expect(pulls.ensure(waiting, signal)).rejects.toMatchObject({
      code: 'ImageUnavailable',
      retryAfterMs: expect.any(Number) as number,
    });
  }
  expect(engine.calls.filter((call) => call === 'pullImage')).toHaveLength(1);
});

it('a failed pull is tried again once it is due; the same failure is no news, the image is', async () => {
  const { engine, hints, pulls } = bench();
  const waiting = request('a', 'missing:1');
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  await pulls.ensure(waiting, signal);
  await turn();
  vi.setSystemTime(Date.now() + 2_000);
  await expect(pulls.ensure(waiting, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
  await turn();
  expect(hints).toEqual(['a']);
  engine.pullImage = async (image) => void engine.images.add(image);
  vi.setSystemTime(Date.now() + 10_000);
  await expect(pulls.ensure(waiting, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
  await turn();
  expect(hints).toEqual(['a', 'a']);
  expect(await pulls.ensure(waiting, signal)).toBe('present');
});

it('an image that is there is not pulled, whatever failed before', async () => {
  const { engine, pulls } = bench();
  await pulls.ensure(request('a', 'missing:1'), signal);
  await turn();
  engine.images.add('missing:1');
  expect(await pulls.ensure(request('a', 'missing:1'), signal)).toBe('present');
});

it('closing gives up what is under way, and hints at nobody', async () => {
  const { engine, hints, pulls } = bench();
  engine.pullImage = (_image, _auth, _onProgress, aborted) =>
    new Promise((_resolve, reject) => {
      aborted.addEventListener('abort', () => reject(new ComputeError('ProviderUnavailable', 'given up')));
    });
  await pulls.ensure(request('a', 'app:1'), signal);
  await turn();
  await pulls.close();
  expect(hints).toEqual([]);
});

it("the tenant's credential comes before the operator's, by registry, and none is right, too", async () => {
  const registries = { 'registry.example': { username: 'operator', password: 'p' } };
  const own = { registry: 'registry.example', username: 'tenant', password: new SecretValue('secret') };
  const user = async (image: string, credentials = [own]) =>
    (await credentialFor(image, credentials, registries)?.read())?.username;
  expect(await user('registry.example/app:1')).toBe('tenant');
  expect(await user('registry.example/app:1', [])).toBe('operator');
  expect(await user('registry.example:5000/app:1')).toBeUndefined();
  expect(await user('app:1')).toBeUndefined();
  expect(await user('app:1', [{ ...own, registry: 'https://index.docker.io/v1/' }])).toBe('tenant');
});

it('credentials are told apart without being shown, and a lost password file is ImageUnavailable', async () => {
  const of = (password: string) =>
    credentialFor(
      'r.example/a',
      [{ registry: 'r.example', username: 'u', password: new SecretValue(password) }],
      {},
    );
  expect(of('one')?.identity).not.toBe(of('two')?.identity);
  expect(of('one')?.identity).not.toContain('one');
  const lost = credentialFor('r.example/a', [], {
    'r.example': { username: 'u', password_file: '/nowhere/at/all' },
  });
  await expect(lost?.read()).rejects.toMatchObject({ code: 'ImageUnavailable' });
});
