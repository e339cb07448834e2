import { maxStringBytes } from './json-sieve.ts';
import type { Sieve } from './json-sieve.ts';

/** Of a value that was read as a whole, what a JsonSieve keeps of it while it comes in. */
export function sift(value: unknown, sieve: Sieve): unknown {
  if (typeof value === 'string') return isLong(value) ? '' : value;
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? siftList(value, sieve) : siftObject(value, sieve);
}

function siftList(list: readonly unknown[], { item, isKept, maxBytes }: Sieve): readonly unknown[] {
  if (item === undefined) return [];
  const sifted = list.map((one) => sift(one, item));
  const kept = isKept === undefined ? sifted : sifted.filter(isKept);
  return hasRoom(kept, maxBytes) ? kept : fitting(kept, maxBytes, textOf);
}

function siftObject(object: object, { member, maxBytes }: Sieve): object {
  if (member === undefined) return {};
  const kept = {};
  for (const [key, value] of Object.entries(object)) {
    const sieve = isLong(key) ? undefined : member(key);
    if (sieve !== undefined) put(kept, key, sift(value, sieve));
  }
  if (hasRoom(kept, maxBytes)) return kept;
  const fit = fitting(Object.entries(kept), maxBytes, ([key, value]) => `${textOf(key)}:${textOf(value)}`);
  return Object.fromEntries(fit);
}

/** As JSON.parse does, to which no key is a special one. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

const textOf = (value: unknown): string => JSON.stringify(value);

function hasRoom(kept: object, maxBytes = Infinity): boolean {
  return maxBytes === Infinity || mostBytes(kept) <= maxBytes;
}

/** Those that have room, in their order. */
function fitting<T>(entries: readonly T[], maxBytes = Infinity, text: (entry: T) => string): readonly T[] {
  let used = 0;
  return entries.filter((entry) => {
    const bytes = Buffer.byteLength(text(entry)) + (used > 0 ? 1 : 0);
    if (used + bytes > maxBytes) return false;
    used += bytes;
    return true;
  });
}

/** A character that is escaped has six bytes in JSON, such as `\u0000`. */
const bytesOfCharacter = 6;
const bytesOfNumber = 25;

/** As many bytes as it can have as JSON, without making that. */
function mostBytes(value: unknown): number {
  if (typeof value === 'string') return bytesOfCharacter * value.length + 2;
  if (typeof value !== 'object' || value === null) return bytesOfNumber;
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + 1 + mostBytes(one), 2);
  let bytes = 2;
  for (const [key, one] of Object.entries(value)) bytes += bytesOfCharacter * key.length + 4 + mostBytes(one);
  return bytes;
}

/** Quotes included. */
function isLong(text: string): boolean {
  if (bytesOfCharacter * text.length + 2 <= maxStringBytes) return false;
  return Buffer.byteLength(textOf(text)) > maxStringBytes;
}
