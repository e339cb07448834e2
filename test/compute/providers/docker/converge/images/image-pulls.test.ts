import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ComputeError } from '../../../../../../src/compute/errors.ts';
import { createImagePulls } from '../../../../../../src/compute/providers/docker/converge/images/image-pulls.ts';
import { SecretValue } from '../../../../../../src/compute/spec/secret-value.ts';
import { silent } from '../../docker-fixture.ts';
import { memoryEngine } from '../../memory-engine.ts';
import type { MemoryEngine } from '../../memory-engine.ts';

const signal = new AbortController().signal;
const request = (tenantId: string, image: string) => ({
  tenantId,
  namespace: 'team-a',
  image,
  credentials: undefined,
});
/** Turns in which whatever waits for nothing but promises comes to its end. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  // The whole of each back-off, not half of it.
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms);
const count = (engine: MemoryEngine) => engine.calls.filter((call) => call === 'pullImage').length;

function bench() {
  const engine = memoryEngine();
  const hints: string[] = [];
  return { engine, hints, pulls: createImagePulls(engine, silent, (tenantId) => void hints.push(tenantId)) };
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
  expect(await pulls.ensure(a, signal)).toHaveProperty('id');
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
      retryAfterMs: 1_000,
    });
  }
  expect(count(engine)).toBe(1);
});

it('a failed pull is tried again once it is due; the same failure is no news, the image is', async () => {
  const { engine, hints, pulls } = bench();
  const waiting = request('a', 'missing:1');
  await pulls.ensure(waiting, signal);
  await turn();
  later(2_000);
  await expect(pulls.ensure(waiting, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
  await turn();
  expect(count(engine)).toBe(2);
  expect(hints).toEqual(['a']);
  engine.pullImage = async (image) => void engine.images.add(image);
  later(10_000);
  await expect(pulls.ensure(waiting, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
  await turn();
  expect(hints).toEqual(['a', 'a']);
  expect(await pulls.ensure(waiting, signal)).toHaveProperty('id');
});

describe('the back-off', () => {
  it('doubles from a second to five minutes, and nobody is told to come back sooner than in a second', async () => {
    const { engine, pulls } = bench();
    const waiting = request('a', 'missing:1');
    await pulls.ensure(waiting, signal);
    await turn();
    for (const [tries, backOffMs] of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].entries()) {
      const left = async (): Promise<unknown> =>
        pulls.ensure(waiting, signal).catch((error: ComputeError) => error.retryAfterMs);
      expect(await left()).toBe(backOffMs * 1000);
      later(backOffMs * 1000 - 1);
      expect(await left()).toBe(1_000);
      await turn();
      expect(count(engine)).toBe(tries + 1);
      later(1);
      expect(await left()).toBe(1_000);
      await turn();
      expect(count(engine)).toBe(tries + 2);
    }
  });

  it('is as long as the registry wants it, where that is longer', async () => {
    const { engine, pulls } = bench();
    engine.pullImage = async () => {
      engine.calls.push('pullImage');
      throw new ComputeError('ImageUnavailable', 'slow down', { retryAfterMs: 60_000 });
    };
    const waiting = request('a', 'app:1');
    await pulls.ensure(waiting, signal);
    await turn();
    later(59_999);
    await expect(pulls.ensure(waiting, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
    await turn();
    expect(count(engine)).toBe(1);
    later(1);
    await expect(pulls.ensure(waiting, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
    await turn();
    expect(count(engine)).toBe(2);
  });

  it('is half of that at the least, so that images that failed together are not asked for together', async () => {
    const { engine, pulls } = bench();
    vi.spyOn(Math, 'random').mockReturnValue(0);
    await pulls.ensure(request('a', 'missing:1'), signal);
    await turn();
    later(499);
    await pulls.ensure(request('a', 'missing:1'), signal).catch(() => undefined);
    await turn();
    expect(count(engine)).toBe(1);
    later(1);
    await pulls.ensure(request('a', 'missing:1'), signal).catch(() => undefined);
    await turn();
    expect(count(engine)).toBe(2);
  });

  it('begins anew after a success, and for whoever is the first to ask again', async () => {
    const { engine, pulls } = bench();
    const waiting = request('a', 'missing:1');
    const fail = async () => {
      await pulls.ensure(waiting, signal).catch(() => undefined);
      await turn();
    };
    await fail();
    engine.images.add('missing:1');
    expect(await pulls.ensure(waiting, signal)).toHaveProperty('id');
    engine.images.delete('missing:1');
    expect(await pulls.ensure(waiting, signal)).toBe('pulling');
    await turn();
    expect(count(engine)).toBe(2);
    pulls.forget('a');
    expect(await pulls.ensure(waiting, signal)).toBe('pulling');
  });

  it('another failure than the last one is news', async () => {
    const { engine, hints, pulls } = bench();
    const waiting = request('a', 'missing:1');
    await pulls.ensure(waiting, signal);
    await turn();
    engine.pullImage = async () => {
      throw new ComputeError('ImageUnavailable', 'something else');
    };
    later(1_000);
    await expect(pulls.ensure(waiting, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
    await turn();
    expect(hints).toEqual(['a', 'a']);
    await expect(pulls.ensure(waiting, signal)).rejects.toThrow('something else');
  });
});

describe('a tenant that is forgotten', () => {
  it('gets no hint, and what others wait for is not begun anew', async () => {
    const { engine, hints, pulls } = bench();
    const [a, b] = [request('a', 'missing:1'), request('b', 'missing:1')];
    await Promise.all([pulls.ensure(a, signal), pulls.ensure(b, signal)]);
    pulls.forget('a');
    await turn();
    expect(hints).toEqual(['b']);
    pulls.forget('a');
    await expect(pulls.ensure(b, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
    expect(count(engine)).toBe(1);
  });

  it('ends the pull that it alone waited for, and the next one who asks begins anew', async () => {
    const { engine, hints, pulls } = bench();
    const ended: unknown[] = [];
    engine.pullImage = (_image, _auth, _onProgress, aborted) => {
      engine.calls.push('pullImage');
      return new Promise((_resolve, reject) => {
        aborted.addEventListener('abort', () => {
          ended.push(aborted.reason);
          reject(new ComputeError('ProviderUnavailable', 'given up'));
        });
      });
    };
    await pulls.ensure(request('a', 'app:1'), signal);
    pulls.forget('a');
    await turn();
    expect(ended).toHaveLength(1);
    expect(hints).toEqual([]);
    expect(await pulls.ensure(request('b', 'app:1'), signal)).toBe('pulling');
    expect(count(engine)).toBe(2);
  });
});

describe('a pull that waits for its turn', () => {
  /** Two that go on until they are let end, as many as one tenant has turns; and one that waits. */
  async function withOneWaiting() {
    const started = bench();
    const { engine, pulls } = started;
    const ends = new Map<string, () => void>();
    engine.pullImage = (image) => {
      engine.calls.push('pullImage');
      return new Promise((resolve) => {
        ends.set(image, () => {
          engine.images.add(image);
          resolve();
        });
      });
    };
    for (const image of ['app:1', 'app:2']) await pulls.ensure(request('a', image), signal);
    expect(await pulls.ensure(request('a', 'app:3'), signal)).toBe('waiting');
    return { ...started, ends };
  }

  it('begins when another one ends, and its tenants hear of that', async () => {
    const { engine, hints, pulls, ends } = await withOneWaiting();
    expect(await pulls.ensure(request('a', 'app:3'), signal)).toBe('waiting');
    expect(count(engine)).toBe(2);
    ends.get('app:1')?.();
    await turn();
    expect(hints).toEqual(['a', 'a']);
    expect(await pulls.ensure(request('a', 'app:3'), signal)).toBe('pulling');
    expect(count(engine)).toBe(3);
  });

  it('is not made where the image has come by itself', async () => {
    const { engine, hints, pulls, ends } = await withOneWaiting();
    engine.images.add('app:3');
    expect(await pulls.ensure(request('a', 'app:3'), signal)).toHaveProperty('id');
    expect(hints).toEqual(['a']);
    ends.get('app:1')?.();
    await turn();
    expect(count(engine)).toBe(2);
  });

  it('is at the cost of whoever wants it still', async () => {
    const { engine, pulls } = await withOneWaiting();
    expect(await pulls.ensure(request('b', 'app:1'), signal)).toBe('pulling');
    // What `a` has let go of counts for `b` from now on: it has one turn left, and `a` has one.
    pulls.keepOnly('a', new Set(['app:2', 'app:3']));
    await turn();
    expect(count(engine)).toBe(3);
  });

  it('is given up by a shut-down, as those that run are', async () => {
    const { engine, pulls, ends } = await withOneWaiting();
    const closed = pulls.close();
    for (const end of ends.values()) end();
    await closed;
    expect(count(engine)).toBe(2);
  });
});

it('with other credentials of the same tenant the pull with the earlier ones is given up', async () => {
  const { engine, pulls } = bench();
  const aborted: boolean[] = [];
  engine.pullImage = (_image, _auth, _onProgress, over) => {
    const at = aborted.push(false) - 1;
    return new Promise((_resolve, reject) => {
      over.addEventListener('abort', () => {
        aborted[at] = true;
        reject(new ComputeError('ProviderUnavailable', 'given up'));
      });
    });
  };
  const credential = (identity: string) => ({
    identity,
    each: [async () => ({ registry: 'r.example', username: 'u', password: new SecretValue('s3cret') })],
  });
  for (const identity of ['old', 'new'])
    await pulls.ensure({ ...request('a', 'app:1'), credentials: credential(identity) }, signal);
  await turn();
  await pulls.ensure({ ...request('a', 'app:1'), credentials: credential('new') }, signal);
  expect(aborted).toEqual([true, false]);
});

it('an image that someone else has brought while it is pulled does not make a second pull of the first', async () => {
  const { engine, hints, pulls } = bench();
  const gate = Promise.withResolvers<void>();
  const pull = engine.pullImage.bind(engine);
  engine.pullImage = async (...args) => {
    await pull(...args);
    await gate.promise;
  };
  const waiting = request('a', 'app:1');
  await pulls.ensure(waiting, signal);
  await turn();
  expect(await pulls.ensure(waiting, signal)).toHaveProperty('id');
  engine.images.delete('app:1');
  expect(await pulls.ensure(waiting, signal)).toBe('pulling');
  await turn();
  expect(count(engine)).toBe(1);
  gate.resolve();
  await turn();
  expect(hints).toEqual(['a']);
});

describe('pulls are shared by those who would make the same one', () => {
  const credential = (identity: string) => ({
    identity,
    each: [async () => ({ registry: 'r.example', username: identity, password: new SecretValue('s3cret') })],
  });

  it('and by no others: not with other credentials', async () => {
    const { engine, pulls } = bench();
    const auths: unknown[] = [];
    engine.pullImage = async (_image, terms) => void auths.push(terms?.auth);
    const asks = ['one', 'two', 'one'].map((identity) => ({
      tenantId: 'a',
      namespace: 'team-a',
      image: 'app:1',
      credentials: credential(identity),
    }));
    await Promise.all([...asks, request('a', 'app:1')].map((ask) => pulls.ensure(ask, signal)));
    await turn();
    const auth = (username: string) => ({ username, password: 's3cret', serveraddress: 'r.example' });
    expect(auths).toHaveLength(3);
    expect(new Set(auths)).toEqual(new Set([undefined, auth('one'), auth('two')]));
  });

  it('and a credential that can not be read is the failure', async () => {
    const { engine, pulls } = bench();
    const lost = {
      identity: 'lost',
      each: [() => Promise.reject(new ComputeError('ImageUnavailable', 'no file'))],
    };
    const waiting = { ...request('a', 'app:1'), credentials: lost };
    await pulls.ensure(waiting, signal);
    await turn();
    await expect(pulls.ensure(waiting, signal)).rejects.toThrow('no file');
    expect(count(engine)).toBe(0);
  });
});

it('an image that is there is not pulled, whatever failed before', async () => {
  const { engine, pulls } = bench();
  await pulls.ensure(request('a', 'missing:1'), signal);
  await turn();
  engine.images.add('missing:1');
  expect(await pulls.ensure(request('a', 'missing:1'), signal)).toHaveProperty('id');
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
  await expect(pulls.ensure(request('a', 'app:2'), signal)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: 'the operator is shutting down',
  });
  engine.images.add('app:3');
  expect(await pulls.ensure(request('a', 'app:3'), signal)).toHaveProperty('id');
});

describe('a platform', () => {
  /** An engine that has one image of a name at a time: the one that was pulled last. The registry has those of `offered`. */
  function platforms(offered: readonly string[]) {
    const made = bench();
    const { engine } = made;
    let present = offered[0] ?? '';
    const asked: (string | undefined)[] = [];
    engine.images.add('app:1');
    const inspect = engine.inspectImage.bind(engine);
    engine.inspectImage = async (...args) => {
      const found = await inspect(...args);
      const [Os = '', Architecture = '', Variant = ''] = present.split('/');
      return found && { ...found, Id: `sha256:${Architecture}`, Os, Architecture, Variant };
    };
    engine.pullImage = async (_image, terms) => {
      asked.push(terms?.platform);
      present = offered.find((one) => one === terms?.platform) ?? present;
    };
    const ensure = (platform?: string) => made.pulls.ensure({ ...request('a', 'app:1'), platform }, signal);
    return { ensure, asked };
  }

  it('that the image has is not pulled, nor where nobody asks for one', async () => {
    const { ensure, asked } = platforms(['linux/amd64']);
    for (const platform of [undefined, 'linux/amd64', 'linux/x86_64']) {
      expect(await ensure(platform)).toMatchObject({ id: 'sha256:amd64' });
    }
    expect(asked).toEqual([]);
  });

  it('that it does not have is pulled as such, whatever else of that name is pulled', async () => {
    const { ensure, asked } = platforms(['linux/amd64', 'linux/arm64', 'linux/arm/v7']);
    expect(await Promise.all([ensure('linux/arm64'), ensure('linux/arm/v7')])).toEqual([
      'pulling',
      'pulling',
    ]);
    await turn();
    expect(asked).toEqual(['linux/arm64', 'linux/arm/v7']);
    expect(await ensure('linux/arm/v7')).toMatchObject({ id: 'sha256:arm' });
  });

  it('that the registry does not have is told, and not asked for each time', async () => {
    const { ensure, asked } = platforms(['linux/amd64']);
    expect(await ensure('linux/arm64')).toBe('pulling');
    await turn();
    const refusal = {
      code: 'ImageUnavailable',
      message: "Image app:1 can't be had for linux/arm64: the registry gave one for linux/amd64",
    };
    await expect(ensure('linux/arm64')).rejects.toMatchObject(refusal);
    await expect(ensure('linux/arm64')).rejects.toMatchObject(refusal);
    expect(asked).toHaveLength(1);
  });
});
