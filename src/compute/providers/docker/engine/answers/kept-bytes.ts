/** Bytes that are put together piece by piece, and taken back to where they were. */
export interface KeptBytes {
  length(): number;
  add(bytes: Uint8Array): void;
  addByte(byte: number): void;
  cutTo(length: number): void;
  /** What stands from there on. */
  textFrom(start: number): string;
}

const firstSize = 4_096;

export function keptBytes(): KeptBytes {
  let buffer = Buffer.allocUnsafe(firstSize);
  let length = 0;
  const makeRoom = (more: number): void => {
    if (length + more <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * buffer.length, length + more));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  };
  return {
    length: () => length,
    add(bytes) {
      makeRoom(bytes.length);
      buffer.set(bytes, length);
      length += bytes.length;
    },
    addByte(byte) {
      makeRoom(1);
      buffer[length] = byte;
      length += 1;
    },
    cutTo(to) {
      length = to;
      // One large thing in a list leaves nothing behind.
      if (to === 0 && buffer.length > 64 * firstSize) buffer = Buffer.allocUnsafe(firstSize);
    },
    textFrom: (start) => buffer.toString('utf8', start, length),
  };
}
