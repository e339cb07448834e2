/** A response that is one JSON object per line, without an end: a watch. */
export interface ObjectStream<T> extends AsyncIterable<T> {
  /**
   * `performance.now()` of the last byte received, of whatever kind; of the headers before that. Where `provesLife`, the
   * connection's answers count as such for a while.
   */
  readonly lastByteAtMs: number;
  /** The connection is asked now and then whether its other end is there. */
  readonly provesLife: boolean;
  /** Breaks the connection; the iteration rejects with `reason`. */
  abort(reason: Error): void;
}

/** Splits `body` at newlines and parses each line. A line may span any number of chunks. */
export async function* parseLines<T>(body: AsyncIterable<Buffer>, onBytes: () => void): AsyncGenerator<T> {
  let pending: Buffer[] = [];
  for await (const chunk of body) {
    onBytes();
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      pending.push(chunk.subarray(start, end));
      const line = pending.length === 1 ? pending[0] : Buffer.concat(pending);
      pending = [];
      start = end + 1;
      if (line?.length) yield JSON.parse(line.toString('utf8')) as T;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
}
