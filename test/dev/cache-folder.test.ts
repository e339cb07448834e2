import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { cachedFolder, cacheKey, withCacheLock } from '../../dev/cache-folder.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'landlord-cache-test-'));
  vi.stubEnv('XDG_CACHE_HOME', root);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

it('builds once for all that ask at once, and not again later', async () => {
  const build = vi.fn<(folder: string) => Promise<void>>(async (folder) => {
    await writeFile(join(folder, 'made'), 'whole');
  });
  const asked = [cachedFolder('thing', build), cachedFolder('thing', build), cachedFolder('thing', build)];
  const folders = new Set(await Promise.all(asked));
  expect([...folders]).toEqual([join(root, 'landlord', 'thing')]);
  await cachedFolder('thing', build);
  expect(build).toHaveBeenCalledTimes(1);
  expect(await readFile(join(root, 'landlord', 'thing', 'made'), 'utf8')).toBe('whole');
});

it('keeps nothing of a build that failed, and builds again', async () => {
  const built = cachedFolder('thing', async (folder) => {
    await writeFile(join(folder, 'half'), '');
    throw new Error('no compiler');
  });
  await expect(built).rejects.toThrow('no compiler');
  expect(await readdir(join(root, 'landlord'))).toEqual([]);
  const folder = await cachedFolder('thing', async () => undefined);
  expect(await readdir(folder)).toEqual([]);
});

it('lets one at a time work under a lock', async () => {
  let working = 0;
  const work = async (): Promise<number> => {
    working += 1;
    await new Promise((resolve) => setImmediate(resolve));
    const most = working;
    working -= 1;
    return most;
  };
  const most = await Promise.all([1, 2, 3].map(() => withCacheLock('apt', work)));
  expect(most).toEqual([1, 1, 1]);
});

it('takes the lock of a program that died', async () => {
  await withCacheLock('other', async () => undefined);
  // Beyond the highest process id that Linux gives out.
  await writeFile(join(root, 'landlord', 'apt.lock'), '4194305');
  expect(await withCacheLock('apt', async () => 'done')).toBe('done');
  expect(await readdir(join(root, 'landlord'))).toEqual([]);
});

it('makes another key when any part differs, and when parts are divided differently', () => {
  expect(cacheKey(['ab', 'c'])).toBe(cacheKey(['ab', 'c']));
  expect(cacheKey(['ab', 'c'])).not.toBe(cacheKey(['a', 'bc']));
});
