import { describe, expect, it } from 'vitest';
import { createSeenCache } from '../../../src/compute/observation/seen-cache.ts';

const filled = () => {
  const cache = createSeenCache<string>();
  cache.store('t', 'first', cache.moment());
  return cache;
};

describe('what was seen of a thing', () => {
  it('is fresh until something happens to it, and to nothing else', () => {
    const cache = filled();
    cache.touch('other');
    expect(cache.fresh('t')).toEqual({ value: 'first', moment: 0 });
    cache.touch('t');
    expect(cache.fresh('t')).toBeUndefined();
    expect(cache.last('t')?.value).toBe('first');
  });

  it('is nothing where nothing was seen', () => {
    const cache = createSeenCache<string>();
    expect([cache.last('t'), cache.fresh('t')]).toEqual([undefined, undefined]);
    expect(cache.isStale('t', cache.moment())).toBe(false);
  });

  it('stays stale with the answer to a question of before, and is fresh with that to a later one', () => {
    const cache = filled();
    const early = cache.moment();
    cache.touch('t');
    expect(cache.isStale('t', early)).toBe(true);
    expect(cache.store('t', 'under way when it happened', early)).toBe(true);
    expect(cache.fresh('t')).toBeUndefined();
    expect(cache.isStale('t', cache.moment())).toBe(false);
    expect(cache.store('t', 'later', cache.moment())).toBe(true);
    expect(cache.fresh('t')?.value).toBe('later');
  });

  it('is not the answer to a question of before, once a later one was answered', () => {
    const cache = filled();
    const early = cache.moment();
    cache.touch('other');
    cache.store('t', 'later', cache.moment());
    expect(cache.store('t', 'late', early)).toBe(false);
    expect(cache.last('t')?.value).toBe('later');
  });

  it('is the last of several answers to questions of one moment', () => {
    const cache = filled();
    expect(cache.store('t', 'second', cache.moment())).toBe(true);
    expect(cache.fresh('t')?.value).toBe('second');
  });

  it('is forgotten with what happened to it', () => {
    const cache = filled();
    cache.touch('t');
    cache.forget('t');
    expect(cache.last('t')).toBeUndefined();
    expect(cache.isStale('t', 0)).toBe(false);
    expect([...cache.entries()]).toEqual([]);
  });
});

it('all that was seen can be gone through, and forgotten on the way', () => {
  const cache = filled();
  cache.store('u', 'second', cache.moment());
  for (const [key, { value }] of cache.entries()) if (value === 'first') cache.forget(key);
  expect([...cache.entries()]).toEqual([['u', { value: 'second', moment: 0 }]]);
});
