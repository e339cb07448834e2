/** One small change of one line that the tests ought to notice. */
export interface Mutant {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

/** What is looked for, and what stands in its place. `if (` negates the whole condition. */
const rules: readonly (readonly [RegExp, string])[] = [
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ < /g, ' <= '],
  [/ > /g, ' >= '],
  [/ \+ 1\b/g, ' - 1'],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\?\? /g, '&& '],
  [/\bif \(/g, 'if (!('],
  [/Math\.min/g, 'Math.max'],
  [/Math\.max/g, 'Math.min'],
];

/** Lines that are erased, or that hold words for people: nothing there can be told by a test. */
const passedOver = ['*', '//', '/*', 'import ', 'export type', 'type ', 'readonly ', '|'];

export function candidatesOf(file: string, text: string): Mutant[] {
  return text.split('\n').flatMap((before, index) => {
    const code = before.trim();
    if (before.includes('`') || passedOver.some((start) => code.startsWith(start))) return [];
    if (/\blog(ger)?\.(debug|info|warn|error)\(/.test(code)) return [];
    return rules.flatMap(([pattern, replacement]) =>
      [...before.matchAll(pattern)].flatMap(({ 0: found, index: at }) => {
        const after = mutate(before, { at, found, replacement });
        return after === undefined ? [] : [{ file, line: index + 1, before, after }];
      }),
    );
  });
}

function mutate(
  line: string,
  { at, found, replacement }: { at: number; found: string; replacement: string },
): string | undefined {
  const rest = line.slice(at + found.length);
  if (!found.startsWith('if (')) return line.slice(0, at) + replacement + rest;
  const end = closingParenthesis(rest);
  return end < 0 ? undefined : `${line.slice(0, at)}${replacement}${rest.slice(0, end)})${rest.slice(end)}`;
}

/** Of a parenthesis that was opened right before `text`; -1: on a later line. */
function closingParenthesis(text: string): number {
  let depth = 1;
  for (const { 0: parenthesis, index } of text.matchAll(/[()]/g)) {
    depth += parenthesis === '(' ? 1 : -1;
    if (depth === 0) return index;
  }
  return -1;
}

/** `count` of them at random, the same for the same seed. */
export function sample<T>(all: readonly T[], count: number, seed: number): T[] {
  const random = mulberry32(seed);
  const left = [...all];
  const picked: T[] = [];
  while (picked.length < count && left.length > 0) {
    picked.push(...left.splice(Math.floor(random() * left.length), 1));
  }
  return picked;
}

/** A small generator of numbers in [0, 1) that is good enough for samples. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
