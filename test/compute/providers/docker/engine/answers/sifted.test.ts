import { PassThrough } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Sieve } from '../../../../../../src/compute/providers/docker/engine/answers/json-sieve.ts';
import { siftedReader } from '../../../../../../src/compute/providers/docker/engine/answers/sifted.ts';

const word: Sieve = {};
const asked: string[] = [];
/** Tells each key that it is asked about: one that is sifted while it comes in is, as soon as it is there. */
const sieve: Sieve = {
  member: (key) => {
    asked.push(key);
    return key === 'a' ? word : undefined;
  },
};
const call = { host: 'engine', method: 'GET', path: '/list' };

function answer(): PassThrough & IncomingMessage {
  return Object.assign(new PassThrough(), { statusCode: 200 }) as unknown as PassThrough & IncomingMessage;
}

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whether an answer that comes in two pieces is read as a whole: nothing is asked of it before its end. */
async function isReadWhole(read: ReturnType<ReturnType<typeof siftedReader>>): Promise<boolean> {
  const response = answer();
  asked.length = 0;
  const body = read(response, call);
  response.write('[{"a":1,"b":2},');
  await settled();
  const isWhole = asked.length === 0;
  response.end('{"a":3}]');
  expect((await body).body).toEqual([{ a: 1 }, { a: 3 }]);
  return isWhole;
}

describe('an answer of which little is kept', () => {
  it('is read as a whole where there is room for it, again and again', async () => {
    const read = siftedReader(30)(sieve);
    expect(await isReadWhole(read)).toBe(true);
    expect(await isReadWhole(read)).toBe(true);
  });

  it('is sifted while it comes in where there is none, from its beginning', async () => {
    expect(await isReadWhole(siftedReader(10)(sieve))).toBe(false);
    const response = answer();
    const body = siftedReader(20)(sieve)(response, call);
    response.write('[{"a":1,"b":2},');
    response.end('{"a":3}]');
    expect((await body).body).toEqual([{ a: 1 }, { a: 3 }]);
  });

  it('shares the room with all others that are being read, and gives it back, also where it breaks', async () => {
    const reader = siftedReader(30);
    const other = answer();
    const held = reader(sieve)(other, call);
    other.write('[{"a":1},{"a":2},');
    await settled();
    expect(await isReadWhole(reader(sieve))).toBe(false);
    other.destroy(new Error('broken'));
    await expect(held).rejects.toThrow('broken');
    expect(await isReadWhole(reader(sieve))).toBe(true);
  });

  it.each([
    [30, 'none', '{"a":1,"b":2}', { a: 1 }],
    [0, 'none', '{"a":1,"b":2}', { a: 1 }],
    [30, 'list', 'null', []],
    [0, 'list', 'null', []],
    [30, 'list', '[]', []],
  ] as const)('with room for %i bytes and %s outside: %s', async (room, outside, text, body) => {
    const response = answer();
    const read = siftedReader(room)(sieve, outside)(response, call);
    response.end(text);
    expect(await read).toEqual({ status: 200, body, text: '' });
  });

  it.each([
    ['list', '{"a":1}'],
    ['list', '[{"a":1}'],
    ['list', '"text"'],
    ['list', '<html>'],
    ['none', 'null'],
    ['none', '{"a":1'],
    ['none', '<html>'],
  ] as const)('is none with %s outside: %s', async (outside, text) => {
    for (const room of [100, 0]) {
      const response = answer();
      const read = siftedReader(room)(sieve, outside)(response, call);
      response.end(text);
      await expect(read).rejects.toThrow(SyntaxError);
    }
  });
});
