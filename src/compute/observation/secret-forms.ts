/** How texts of others show a value that they repeat. Pure. */

/** Without a sign of these, each of the quoted forms is the text itself. */
const unquotable = /["'\\<>&]|[^\x20-\x7e]/;

/**
 * As JSON has it, Go's JSON, Go's `%q`, and JSON in ASCII alone; each of them in one more text that is quoted; and as HTML
 * has it.
 */
export function quotedForms(text: string): readonly string[] {
  if (!unquotable.test(text)) return [];
  const once = [quoted(text), htmlSafe(quoted(text)), goQuoted(text), asciiOnly(quoted(text))];
  const twice = once.flatMap((form) => [quoted(form), htmlSafe(quoted(form))]);
  return [...once, ...twice, inHtml(text, '&quot;'), inHtml(text, '&#34;')];
}

function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Go's encoding/json does so unless it is told not to. */
function htmlSafe(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, unicodeEscape);
}

function asciiOnly(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, unicodeEscape);
}

const goEscapes: Readonly<Record<string, string>> = {
  '"': String.raw`\"`,
  '\\': String.raw`\\`,
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
};

/** What can't be printed is a number; of blanks, all but the ordinary one are. */
function goQuoted(text: string): string {
  return text.replace(/["\\]|[^\x20-\x7e\P{C}]|[\x7f]|(?! )\p{Z}/gu, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    if (goEscapes[sign] !== undefined) return goEscapes[sign];
    if (code < 0x80) return String.raw`\x${hex(code, 2)}`;
    return code > 0xffff ? String.raw`\U${hex(code, 8)}` : unicodeEscape(sign);
  });
}

function inHtml(text: string, quote: string): string {
  const signs = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': quote, "'": '&#39;' };
  return text.replace(/[&<>"']/g, (sign) => signs[sign as keyof typeof signs]);
}

function unicodeEscape(sign: string): string {
  return String.raw`\u${hex(sign.charCodeAt(0), 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** What quotedForms makes of a text has the text itself in one of these: as it is, unquoted once or twice, and out of HTML. */
export function unquotedVersions(text: string): readonly string[] {
  const once = unquoted(text);
  return [...new Set([text, once, unquoted(once), outOfHtml(text)])];
}

const escaped = /\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|x([0-9a-f]{2})|([^uUx]))/g;
const meant: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(goEscapes).map(([sign, escape]) => [escape.slice(1), sign]),
);

function unquoted(text: string): string {
  return text.replace(escaped, (all, ...groups: (string | undefined)[]): string => {
    const [four, eight, two, letter] = groups;
    if (letter !== undefined) return meant[letter] ?? letter;
    const code = Number.parseInt(four ?? eight ?? two ?? '', 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

const htmlSigns: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#34': '"',
  '#39': "'",
};

function outOfHtml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#34|#39);/g, (all, name: string) => htmlSigns[name] ?? all);
}

/** Shorter ones have too few signs of their own, where something stands before them. */
const shortestWithin = 8;

/** By itself, and behind something, such as `USER:`, that takes one or two bytes of the three that four signs stand for. */
export function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const whole = bytes.toString('base64').replaceAll('=', '');
  const within = bytes.length < shortestWithin ? [] : [0, 1, 2].map((before) => core(bytes, before));
  const standard = [whole, ...within];
  return [...standard, ...standard.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}

/** The signs that stand for bits of these bytes alone. */
function core(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const first = Math.ceil((before * 8) / 6);
  return text.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
}
