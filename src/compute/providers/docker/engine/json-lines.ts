/**
 * The values of a stream of newline-delimited JSON, in order, wherever the borders of its chunks lie (also within a
 * character). Throws SyntaxError at a line that is none. A last line without a newline counts, unless it is cut off.
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '') yield JSON.parse(line) as unknown;
    }
  }
  if (rest.trim() !== '') yield JSON.parse(rest) as unknown;
}
