import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import type {
  OnPullProgress,
  PullStanding,
} from '../../src/compute/providers/docker/engine/images/pull-progress.ts';
import { drivenDocker, settings, tenantSpec } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';

const signal = new AbortController().signal;
/** Turns in which whatever waits for nothing but promises comes to its end. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());
const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

/** An engine on which every pull goes on until the test ends it: each registry drips. */
function drippingEngine() {
  const engine = memoryEngine();
  const running = new Map<string, () => void>();
  const reports = new Map<string, OnPullProgress>();
  engine.pullImage = (image, _auth, onProgress, aborted) =>
    new Promise((resolve, reject) => {
      reports.set(image, onProgress);
      running.set(image, () => {
        engine.images.add(image);
        running.delete(image);
        resolve();
      });
      aborted.addEventListener('abort', () => {
        running.delete(image);
        reject(new ComputeError('ProviderUnavailable', 'the call was given up'));
      });
    });
  const docker = drivenDocker(engine, settings());
  onTestFinished(() => docker.bare.close());
  const provision = async (
    tenantId: string,
    image: string,
    more: readonly string[] = [],
  ): Promise<string> => {
    const [namespace = ''] = tenantId.split('.');
    const containers = [image, ...more].map((name, at) => ({
      name: `c${at}`,
      image: name,
      env: [],
      resources: {},
    }));
    const tenant = { namespace, name: tenantId, uid: tenantId };
    const spec = tenantSpec({}, { tenantId: tenantId.replace('.', '-'), tenant, containers });
    await docker.getStatus(spec, { fresh: true, signal });
    const { message } = await docker.provision(spec, signal);
    await settled();
    return message;
  };
  /** What the engine tells of a pull. */
  const report = async (image: string, standing: Partial<PullStanding>): Promise<void> => {
    const all = { bytes: 0, isUpToEngine: false, isHeldUp: false, ...standing };
    reports.get(image)?.('…', all);
    await settled();
  };
  return { engine, docker, running, report, provision, pulled: () => [...running.keys()].toSorted() };
}

const some = (count: number, of: (at: number) => string): string[] =>
  Array.from({ length: count }, (_none, at) => of(at));

describe('a registry that drips', () => {
  test('has a part of the turns, whoever pulls from it', async () => {
    const { running, provision } = drippingEngine();
    for (let one = 0; one < 10; one += 1) await provision(`evil${one}.a`, `drip.example/app:${one}`);
    expect(running.size).toBe(4);
    expect(await provision('good.a', 'registry.example/app:1')).toBe('Pulling registry.example/app:1');
    expect(running.has('registry.example/app:1')).toBe(true);
  });

  test.each([
    ['ports', (at: number) => `drip.example:${5000 + at}/app:1`],
    ['names', (at: number) => `drip${at}.example/app:1`],
    ['cases of its name', (at: number) => `${at % 2 === 0 ? 'Drip' : 'DRIP'}.example/app:${at}`],
  ])('has no more turns by many %s: they are its namespace’s', async (_what, image) => {
    const { running, provision } = drippingEngine();
    for (let one = 0; one < 12; one += 1) await provision(`evil.t${one}`, image(one));
    expect(running.size).toBe(3);
    expect(await provision('good.a', 'registry.example/app:1')).toBe('Pulling registry.example/app:1');
  });

  test('has no more turns by many containers: they are its tenant’s, who reads that it waits', async () => {
    const { pulled, provision } = drippingEngine();
    const [first = '', ...others] = some(6, (at) => `drip${at}.example/app:1`);
    expect(await provision('evil.a', first, others)).toBe(
      'Pulling drip0.example/app:1, drip1.example/app:1; waiting for a turn to pull drip2.example/app:1, ' +
        'drip3.example/app:1, drip4.example/app:1, drip5.example/app:1',
    );
    expect(pulled()).toEqual(['drip0.example/app:1', 'drip1.example/app:1']);
  });

  test('is not pulled from on behalf of one for whom others have asked the same first', async () => {
    const { pulled, provision } = drippingEngine();
    // The evil one's turns are used up; another namespace asks for the image that it waits for.
    for (const image of ['a.example/x:1', 'b.example/x:1', 'registry.example/app:1'])
      await provision('evil.a', 'a.example/x:1', ['b.example/x:1', image]);
    expect(pulled()).not.toContain('registry.example/app:1');
    expect(await provision('good.a', 'registry.example/app:1')).toBe('Pulling registry.example/app:1');
    expect(pulled()).toContain('registry.example/app:1');
  });

  test('lets a namespace that has fewer pulls under way go first', async () => {
    const { running, provision } = drippingEngine();
    const hub = some(8, (at) => `registry.example/app:${at}`);
    for (const [at, image] of hub.slice(0, 6).entries()) await provision(`evil.t${at}`, image);
    await provision('other.a', hub[6] ?? '');
    expect(running.size).toBe(4);
    expect(await provision('good.a', hub[7] ?? '')).toBe(`Waiting for a turn to pull ${hub[7]}`);
    running.get(hub[0] ?? '')?.();
    await settled();
    expect(running.has(hub[7] ?? '')).toBe(true);
    expect(running.has(hub[3] ?? '')).toBe(false);
  });
});

test('an engine has eight pulls at once, and each that ends lets another one begin', async () => {
  const { running, provision } = drippingEngine();
  const images = some(10, (at) => `registry${at}.example/app:1`);
  for (const [at, image] of images.entries()) await provision(`team${at}.a`, image);
  expect(running.size).toBe(8);
  running.get(images[0] ?? '')?.();
  await settled();
  expect(running.has(images[8] ?? '')).toBe(true);
  expect(running.size).toBe(8);
});

describe('a pull that is slow for a whole minute', () => {
  const drip = 'drip.example/app:1';
  const good = 'registry.example/app:1';
  const heldUp = { isUpToEngine: true, isHeldUp: true };

  /** A pull from `drip`, and 60 s in which it has got so many bytes. */
  async function withSlow(bytes: number) {
    const engine = drippingEngine();
    await engine.provision('evil.a', drip);
    await engine.report(drip, { bytes: 0 });
    const aMinute = async (): Promise<void> => {
      for (const part of [1, 2, 3]) {
        later(20_000);
        await engine.report(drip, { bytes: (bytes * part) / 3 });
      }
    };
    return { ...engine, aMinute };
  }

  test('gives way to one that the engine holds up for it, and is tried again later', async () => {
    const { pulled, provision, report, aMinute } = await withSlow(18);
    await provision('good.a', good);
    await report(good, heldUp);
    expect(pulled()).toEqual([drip, good]);
    await aMinute();
    expect(pulled()).toEqual([good]);
    const again = provision('evil.a', drip);
    await expect(again).rejects.toMatchObject({
      code: 'ImageUnavailable',
      message:
        "Image drip.example/app:1 can't be pulled: registry drip.example is slow, and the pull gave way to others that wait",
      retryAfterMs: 120_000,
    });
  });

  test('gives way as soon as the other one waits, where it has been slow before', async () => {
    const { pulled, provision, report, aMinute } = await withSlow(18);
    await aMinute();
    await provision('good.a', good);
    expect(pulled()).toEqual([drip, good]);
    await report(good, heldUp);
    expect(pulled()).toEqual([good]);
  });

  test('does so by no pauses, either: what is tried anew by the engine counts', async () => {
    const { pulled, provision, report, aMinute } = await withSlow(0);
    await provision('good.a', good);
    await report(good, heldUp);
    await aMinute();
    expect(pulled()).toEqual([good]);
  });

  test.each([
    ['nobody waits', 18, undefined],
    ['those that wait do so for its own registry', 18, 'drip.example/other:1'],
    ['it is not slow', 3_000_000, good],
  ])('goes on where %s', async (_what, bytes, other) => {
    const { pulled, provision, report, aMinute } = await withSlow(bytes);
    if (other !== undefined) {
      await provision('good.a', other);
      await report(other, heldUp);
    }
    await aMinute();
    expect(pulled()).toContain(drip);
  });

  test('goes on where it is the engine that takes its time', async () => {
    const { pulled, provision, report, aMinute } = await withSlow(18);
    await provision('good.a', good);
    await report(good, heldUp);
    later(50_000);
    await report(drip, { isUpToEngine: true });
    later(50_000);
    await report(drip, { isUpToEngine: true });
    expect(pulled()).toContain(drip);
    await aMinute();
    expect(pulled()).toContain(drip);
  });

  test('gives its turn to one that waits for nothing else', async () => {
    const { running, provision, report } = drippingEngine();
    const drips = some(8, (one) => `drip${one}.example/app:1`);
    for (const [one, image] of drips.entries()) await provision(`evil${one % 3}.t${one}`, image);
    expect(running.size).toBe(8);
    for (const image of drips) await report(image, { bytes: 0 });
    later(60_000);
    for (const image of drips) await report(image, { bytes: 6 });
    expect(running.size).toBe(8);
    expect(await provision('good.a', good)).toBe(`Waiting for a turn to pull ${good}`);
    await report(drips[5] ?? '', { bytes: 7 });
    // One turn was wanted, and no more are taken away.
    expect([...running.keys()]).toEqual([...drips.slice(1), good]);
  });
});

describe('a pull that nobody wants any more is given up', () => {
  test('where the spec names another image', async () => {
    const { pulled, provision } = drippingEngine();
    await provision('evil.a', 'drip.example/app:1');
    await provision('evil.a', 'registry.example/app:2');
    expect(pulled()).toEqual(['registry.example/app:2']);
  });

  test('where the spec goes back to an image that is there', async () => {
    const { engine, pulled, docker, provision } = drippingEngine();
    await provision('evil.a', 'drip.example/app:1');
    engine.images.add('app:1');
    const tenant = { namespace: 'evil', name: 'evil.a', uid: 'evil.a' };
    await docker.getStatus(tenantSpec({}, { tenantId: 'evil-a', tenant }), { fresh: false, signal });
    await settled();
    expect(pulled()).toEqual([]);
  });

  test('where the Tenant is deleted', async () => {
    const { pulled, docker, provision } = drippingEngine();
    await provision('evil.a', 'drip.example/app:1');
    const tenant = { namespace: 'evil', name: 'evil.a', uid: 'evil.a' };
    await docker.destroy(tenantSpec({}, { tenantId: 'evil-a', tenant }), signal);
    await settled();
    expect(pulled()).toEqual([]);
  });

  test('and goes on where somebody else wants it still', async () => {
    const { pulled, provision } = drippingEngine();
    await provision('evil.a', 'registry.example/app:1');
    await provision('good.a', 'registry.example/app:1');
    await provision('evil.a', 'registry.example/app:2');
    expect(pulled()).toEqual(['registry.example/app:1', 'registry.example/app:2']);
  });
});
