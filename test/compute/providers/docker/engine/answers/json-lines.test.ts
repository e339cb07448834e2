import { expect, test } from 'vitest';
import {
  jsonLines,
  maxLineBytes,
} from '../../../../../../src/compute/providers/docker/engine/answers/json-lines.ts';

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function valuesOf(chunks: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(chunks, () => new Error('too long'))) values.push(value);
  return values;
}

test('values come out whole wherever the stream is cut, within a character too', async () => {
  const values = [{ a: 'Zürich ☃' }, { b: [1, 2] }, { c: 'end' }];
  const bytes = new TextEncoder().encode(values.map((value) => `${JSON.stringify(value)}\r\n`).join('\n'));
  for (let size = 1; size <= bytes.length; size += 1) {
    expect(await valuesOf(cut(bytes, size))).toEqual(values);
  }
});

test('a last value without its newline counts, a half one does not pass for a value', async () => {
  expect(await valuesOf(cut(Buffer.from('{"a":1}'), 3))).toEqual([{ a: 1 }]);
  await expect(valuesOf(cut(Buffer.from('{"a":1}\n{"b"'), 3))).rejects.toThrow(SyntaxError);
});

test('a line is read up to its cap, and not to an end that may never come', async () => {
  let taken = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"a":1}\n"');
    for (;;) {
      taken += 65_536;
      yield Buffer.alloc(65_536, 'A');
    }
  }
  await expect(valuesOf(endless())).rejects.toThrow('too long');
  expect(taken).toBeLessThanOrEqual(maxLineBytes + 65_536);
});
