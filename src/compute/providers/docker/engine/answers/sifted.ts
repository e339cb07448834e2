import { readAnswer } from './answer.ts';
import type { ReadAnswer } from './answer.ts';
import { JsonSieve } from './json-sieve.ts';
import type { Sieve } from './json-sieve.ts';

/** A list whose items are sifted one by one: it may be of any size, and never stands in the memory as a whole. */
export function readSiftedList(sieve: Sieve): ReadAnswer {
  return async (response, call) => {
    if (response.statusCode !== 200) return readAnswer(response, call);
    const reader = new JsonSieve(sieve, 'list');
    const body: unknown[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) {
      for (const item of reader.take(chunk)) body.push(item);
    }
    reader.end();
    return { status: 200, body, text: '' };
  };
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
