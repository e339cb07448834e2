import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sharedReads } from '../../../src/controller/sources/shared-reads.ts';
import type { SecretObject } from '../../../src/controller/sources/source.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function secret(resourceVersion: number): SecretObject {
  const metadata = { name: 'db', namespace: 'team-a', uid: 'u', creationTimestamp: '' };
  return { metadata: { ...metadata, resourceVersion: String(resourceVersion) } };
}

/** What the apiserver has, what the watch has told, and the reads so far. */
function world(stored: number | undefined, told: number | undefined) {
  const state = { stored, told, reads: 0, failure: undefined as Error | undefined };
  const shared = sharedReads<SecretObject>(
    {
      async get() {
        state.reads += 1;
        if (state.failure !== undefined) throw state.failure;
        return state.stored === undefined ? undefined : secret(state.stored);
      },
    },
    () => (state.told === undefined ? undefined : String(state.told)),
  );
  const get = async () => (await shared.get('db', 'team-a'))?.metadata.resourceVersion;
  return { state, get };
}

test('a read that is under way is shared', async () => {
  const { state, get } = world(9, 9);
  expect(await Promise.all([get(), get(), get()])).toEqual(['9', '9', '9']);
  expect(state.reads).toBe(1);
});

test('those who can not take an answer of before share one that is newer', async () => {
  const { state, get } = world(9, 10);
  expect(await get()).toBe('9');
  state.stored = 10;
  expect(await Promise.all([get(), get()])).toEqual(['10', '10']);
  expect(state.reads).toBe(2);
});

test.each<[what: string, told: number | undefined, reads: number]>([
  ['the watch has told of it', 9, 1],
  ['the watch is behind it', 8, 1],
  ['the watch has told of a newer one', 10, 2],
  ['the watch knows of none', undefined, 2],
])('what was read counts where %s', async (_what, told, reads) => {
  const { state, get } = world(9, told);
  await get();
  await get();
  expect(state.reads).toBe(reads);
});

test('of two digits more, the newer is newer', async () => {
  const { state, get } = world(9, 9);
  await get();
  Object.assign(state, { stored: 10, told: 10 });
  expect(await get()).toBe('10');
});

test('a Secret that is not there is asked for each time, and so is one that could not be read', async () => {
  const { state, get } = world(undefined, undefined);
  expect([await get(), await get()]).toEqual([undefined, undefined]);
  expect(state.reads).toBe(2);
  Object.assign(state, { told: 9, failure: new Error('no answer') });
  await expect(get()).rejects.toThrow('no answer');
  await expect(get()).rejects.toThrow('no answer');
  Object.assign(state, { stored: 9, failure: undefined });
  expect(await get()).toBe('9');
});

test('values are kept for seconds, and not for what may come', async () => {
  const { state, get } = world(9, 9);
  await get();
  await vi.advanceTimersByTimeAsync(4_999);
  await get();
  expect(state.reads).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  await get();
  expect(state.reads).toBe(2);
  expect(vi.getTimerCount()).toBe(1);
});
