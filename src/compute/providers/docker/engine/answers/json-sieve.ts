import { keptBytes } from './kept-bytes.ts';

/**
 * Reads JSON that may be of any size, and keeps of it only what is asked for, while it comes in: what an engine tells of
 * a container has all that the maker of its image wrote into it.
 */

/** What is kept of a value. */
export interface Sieve {
  /** Of an object: what of the member of that name; undefined: it is left out. */
  readonly member?: (key: string) => Sieve | undefined;
  /** Of a list: what of each item. */
  readonly item?: Sieve;
  /** Of a list: whether an item is kept. Default: each. */
  readonly isKept?: (item: unknown) => boolean;
  /** Of a list or an object: an item or a member that doesn't fit is left out. */
  readonly maxBytes?: number;
}

/** No text that is asked for is longer: one that is becomes empty. */
export const maxStringBytes = 65_536;

/** No engine's answer is half as deep. */
const maxDepth = 64;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const listStart = 0x5b;
const listEnd = 0x5d;
const objectStart = 0x7b;
const objectEnd = 0x7d;

/** An open list or object. */
interface Frame {
  readonly end: number;
  /** Undefined: nothing of it is kept. */
  readonly sieve: Sieve | undefined;
  /** Where in the kept bytes what is in it begins. */
  readonly start: number;
  /** Where its current item or member begins, with the comma before it. */
  at: number;
  /** Of an object: what is kept of the member whose key was read. */
  next: Sieve | undefined;
  awaitsKey: boolean;
}

interface OpenString {
  readonly isKey: boolean;
  readonly isKept: boolean;
  readonly start: number;
  isLong: boolean;
  isEscaped: boolean;
}

export class JsonSieve {
  readonly #root: Sieve;
  /** So many frames are around each value. */
  readonly #level: number;
  readonly #kept = keptBytes();
  readonly #frames: Frame[] = [];
  #values: unknown[] = [];
  #string: OpenString | undefined;
  /** Whether a number or a word is being read, and whether it is kept. */
  #word: 'none' | 'kept' | 'skipped' = 'none';

  /** `outside`: the list that holds the values; none, where they follow each other. */
  constructor(root: Sieve, outside: 'list' | 'none') {
    this.#root = root;
    this.#level = outside === 'list' ? 1 : 0;
  }

  /** The values that have come to their end with this piece. Throws SyntaxError where it is no JSON. */
  take(chunk: Uint8Array): readonly unknown[] {
    this.#values = [];
    for (let at = 0; at < chunk.length;) {
      if (this.#string !== undefined) at = this.#readString(this.#string, chunk, at);
      else {
        this.#step(chunk[at] ?? 0);
        at += 1;
      }
    }
    return this.#values;
  }

  /** Throws SyntaxError where the last value has not come to its end. */
  end(): void {
    if (this.#frames.length > 0 || this.#string !== undefined) throw new SyntaxError('the JSON is cut off');
  }

  #step(byte: number): void {
    if (byte > 0x20 && !isStructure(byte)) {
      this.#takeWord(byte);
      return;
    }
    if (this.#word !== 'none') this.#endWord();
    const frame = this.#frames.at(-1);
    if (byte === quote) this.#openString(frame);
    else if (byte === listStart || byte === objectStart) this.#open(byte);
    else if (byte === listEnd || byte === objectEnd) this.#close(byte);
    else if (byte === comma && frame?.end === objectEnd) frame.awaitsKey = true;
  }

  /** What is kept of the value that begins here; undefined: nothing. Puts the comma before an item. */
  #begin(): Sieve | undefined {
    const frame = this.#frames.at(-1);
    if (frame === undefined || this.#isOutside()) return this.#root;
    if (frame.sieve === undefined || frame.end === objectEnd) return frame.next;
    if (frame.sieve.item !== undefined) this.#separate(frame);
    return frame.sieve.item;
  }

  #isOutside(): boolean {
    return this.#frames.length <= this.#level;
  }

  #separate(frame: Frame): void {
    frame.at = this.#kept.length();
    if (frame.at > frame.start) this.#kept.addByte(comma);
  }

  /** A kept value has come to its end, in the frame that is now the innermost. */
  #finish(): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined || this.#isOutside()) {
      this.#values.push(JSON.parse(this.#kept.textFrom(0)));
      this.#kept.cutTo(0);
      return;
    }
    const { maxBytes = Infinity, isKept } = frame.sieve ?? {};
    const isTooMuch = this.#kept.length() - frame.start > maxBytes;
    if (isTooMuch || (isKept !== undefined && !isKept(this.#item(frame)))) this.#kept.cutTo(frame.at);
  }

  #item({ at, start }: Frame): unknown {
    return JSON.parse(this.#kept.textFrom(at > start ? at + 1 : at));
  }

  #open(byte: number): void {
    const end = byte === listStart ? listEnd : objectEnd;
    const isAround = this.#frames.length < this.#level;
    if (isAround && end !== listEnd) throw new SyntaxError('the JSON is no list');
    if (this.#frames.length >= maxDepth) throw new SyntaxError('the JSON is too deep');
    const sieve = isAround ? undefined : this.#begin();
    if (sieve !== undefined) this.#kept.addByte(byte);
    const at = this.#kept.length();
    this.#frames.push({ end, sieve, start: at, at, next: undefined, awaitsKey: end === objectEnd });
  }

  #close(byte: number): void {
    const frame = this.#frames.pop();
    if (frame?.end !== byte) throw new SyntaxError('the JSON is out of order');
    if (frame.sieve === undefined) return;
    this.#kept.addByte(byte);
    this.#finish();
  }

  #takeWord(byte: number): void {
    if (this.#word === 'none') {
      // Nothing but what is there, or `null` for an empty list.
      if (this.#isOutside() && !(this.#level > 0 && byte === 0x6e)) throw new SyntaxError('this is no JSON');
      this.#word = !this.#isOutside() && this.#begin() !== undefined ? 'kept' : 'skipped';
    }
    if (this.#word === 'kept') this.#kept.addByte(byte);
  }

  #endWord(): void {
    const wasKept = this.#word === 'kept';
    this.#word = 'none';
    if (wasKept) this.#finish();
  }

  #openString(frame: Frame | undefined): void {
    if (frame === undefined || this.#isOutside()) throw new SyntaxError('this is no JSON');
    const isKey = frame.awaitsKey;
    const isKept = isKey ? frame.sieve !== undefined : this.#begin() !== undefined;
    if (isKey && isKept) this.#separate(frame);
    this.#string = { isKey, isKept, start: this.#kept.length(), isLong: false, isEscaped: false };
    if (isKept) this.#kept.addByte(quote);
  }

  /** Up to its end, or that of the piece. Returns where it has come to. */
  #readString(string: OpenString, chunk: Uint8Array, from: number): number {
    const at = quoteFrom(string, chunk, from);
    const end = Math.min(at + 1, chunk.length);
    if (string.isKept && !string.isLong) {
      this.#kept.add(chunk.subarray(from, end));
      string.isLong = this.#kept.length() - string.start > maxStringBytes;
      if (string.isLong) this.#kept.cutTo(string.start);
    }
    if (at < chunk.length) this.#closeString(string);
    return end;
  }

  #closeString(string: OpenString): void {
    this.#string = undefined;
    if (string.isKey) this.#closeKey(string);
    else if (string.isKept) {
      if (string.isLong) this.#kept.add(Buffer.from('""'));
      this.#finish();
    }
  }

  #closeKey({ isKept, isLong, start }: OpenString): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    frame.awaitsKey = false;
    if (!isKept) return;
    const key = isLong ? undefined : (JSON.parse(this.#kept.textFrom(start)) as string);
    frame.next = key === undefined ? undefined : frame.sieve?.member?.(key);
    if (frame.next === undefined) this.#kept.cutTo(frame.at);
    else this.#kept.addByte(colon);
  }
}

/** Where the string ends; the piece's length where it goes on. */
function quoteFrom(string: OpenString, chunk: Uint8Array, from: number): number {
  let { isEscaped } = string;
  for (let at = from; at < chunk.length; at += 1) {
    const byte = chunk[at];
    if (isEscaped) isEscaped = false;
    else if (byte === backslash) isEscaped = true;
    else if (byte === quote) return at;
  }
  string.isEscaped = isEscaped;
  return chunk.length;
}

function isStructure(byte: number): boolean {
  return (
    byte === quote ||
    byte === comma ||
    byte === colon ||
    byte === listStart ||
    byte === listEnd ||
    byte === objectStart ||
    byte === objectEnd
  );
}
