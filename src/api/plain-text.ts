/** Text from outside (an engine, a manifest, a registry) on its way into a status or an Event, which terminals print raw. */

const blanks = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;

/** Control characters, and what no eye sees: bidirectional overrides, zero-width ones, halves of a surrogate pair. */
const unprintable = /\p{C}/gu;

/** On one line, with what a terminal would obey, or hide, spelled out: `\u{1b}`. */
export function plainText(text: string): string {
  return text.replace(blanks, ' ').replace(unprintable, spelled);
}

function spelled(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** `value` with each string in it, at any depth, as plain text; keys stay. */
export function plainTexts<T>(value: T): T {
  return plain(value) as T;
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return plainText(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
