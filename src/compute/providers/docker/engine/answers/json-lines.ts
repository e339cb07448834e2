/** A line of a pull has some hundred bytes; an error in it repeats what a registry says, to which nobody sets a bound. */
export const maxLineBytes = 1_048_576;

const newline = 0x0a;

/**
 * The values of a stream of newline-delimited JSON, in order, wherever the borders of its chunks lie (also within a
 * character). Throws SyntaxError at a line that is none, and what `tooLong` makes at one of more than `maxLineBytes`,
 * before it is read to its end. A last line without a newline counts, unless it is cut off.
 */
export async function* jsonLines(
  chunks: AsyncIterable<Uint8Array>,
  tooLong: () => Error,
): AsyncGenerator<unknown, void, void> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const add = (part: Uint8Array): void => {
    bytes += part.length;
    if (bytes > maxLineBytes) throw tooLong();
    parts.push(part);
  };
  const take = (): string => {
    const line = Buffer.concat(parts).toString('utf8').trim();
    parts = [];
    bytes = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      add(chunk.subarray(from, end));
      from = end + 1;
      const line = take();
      if (line !== '') yield JSON.parse(line) as unknown;
    }
    add(chunk.subarray(from));
  }
  const rest = take();
  if (rest !== '') yield JSON.parse(rest) as unknown;
}
