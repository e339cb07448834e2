import { readAnswer } from './answer.ts';
import type { ReadAnswer } from './answer.ts';
import { JsonSieve } from './json-sieve.ts';
import type { Sieve } from './json-sieve.ts';
import { sift } from './sift.ts';

/** What an answer has around the values that are sifted one by one. */
type Outside = ConstructorParameters<typeof JsonSieve>[1];

/** Makes readers of answers that may be of any size, of which only what is asked for is kept. */
export type SiftedReader = (sieve: Sieve, outside?: Outside) => ReadAnswer;

/**
 * 8 MiB: to read JSON as a whole takes a quarter of the time that it takes byte by byte. So much of all answers that are
 * being read may stand in the memory for that; the rest is sifted while it comes in.
 */
const maxWholeBytes = 8 * 1_048_576;

/** One for all calls of an engine: they share the room. */
export function siftedReader(maxBytes = maxWholeBytes): SiftedReader {
  let room = maxBytes;
  return (sieve, outside = 'list') =>
    async (response, call) => {
      if (response.statusCode !== 200) return readAnswer(response, call);
      let whole: Buffer[] | undefined = [];
      let held = 0;
      const values: unknown[] = [];
      const reader = new JsonSieve(sieve, outside);
      const letGo = (): void => {
        whole = undefined;
        room += held;
        held = 0;
      };
      const passOn = (chunk: Buffer): void => {
        for (const value of reader.take(chunk)) values.push(value);
      };
      try {
        for await (const chunk of response as AsyncIterable<Buffer>) {
          if (whole !== undefined && chunk.length <= room) {
            whole.push(chunk);
            held += chunk.length;
            room -= chunk.length;
          } else {
            whole?.forEach(passOn);
            letGo();
            passOn(chunk);
          }
        }
        if (whole === undefined) reader.end();
        else values.push(...siftWhole(Buffer.concat(whole).toString('utf8'), sieve, outside));
      } finally {
        letGo();
      }
      return { status: 200, body: outside === 'list' ? values : values[0], text: '' };
    };
}

/** Throws SyntaxError where it is no such JSON. */
function siftWhole(text: string, sieve: Sieve, outside: Outside): readonly unknown[] {
  const value = JSON.parse(text) as unknown;
  if (outside === 'none' && typeof value === 'object' && value !== null) return [sift(value, sieve)];
  if (outside === 'list' && value === null) return [];
  if (outside === 'list' && Array.isArray(value)) return value.map((item) => sift(item, sieve));
  throw new SyntaxError('the JSON is no list');
}

/** The values of a stream, in order, however large each of them comes. Throws SyntaxError where it is no JSON. */
export async function* siftedValues(
  chunks: AsyncIterable<Uint8Array>,
  sieve: Sieve,
): AsyncGenerator<unknown, void, void> {
  const reader = new JsonSieve(sieve, 'none');
  for await (const chunk of chunks) yield* reader.take(chunk);
  reader.end();
}
