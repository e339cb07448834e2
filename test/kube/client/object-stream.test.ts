import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLines } from '../../../src/kube/client/object-stream.ts';

async function* chunked(bytes: Buffer, sizes: number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (let turn = 0; start < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

test('objects come out whole however the bytes are cut, characters of several bytes included', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }) })),
      sizes,
      async (objects, sizes) => {
        const bytes = Buffer.from(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
        const parsed: unknown[] = [];
        for await (const object of parseLines(chunked(bytes, sizes), () => {})) parsed.push(object);
        expect(parsed).toEqual(objects);
      },
    ),
  );
});

test('every chunk counts as life, even one without a whole object', async () => {
  let life = 0;
  const bytes = Buffer.from('{"a":1}\n{"unfinished":');
  const parsed: unknown[] = [];
  for await (const object of parseLines(chunked(bytes, [4]), () => (life += 1))) parsed.push(object);
  expect(parsed).toEqual([{ a: 1 }]);
  expect(life).toBe(Math.ceil(bytes.length / 4));
});
