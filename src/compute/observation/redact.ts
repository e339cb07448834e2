import { base64Forms, quotedForms } from './secret-forms.ts';

/** Secret values out of what is told: an engine, or a health probe, may repeat what it was given, or a part of it. */

/** Shorter values, and lines, are too likely to be a part of ordinary words; they say little, too. */
const shortestSecret = 4;

const mark = '[redacted]';
const severalMarks = /\[redacted\](?:\s*\[redacted\])+/g;

/** `text` without any of `secrets`, whole or by the line, as they are or as texts quote them. Redact before cutting. */
export function redact(text: string, secrets: readonly string[]): string {
  if (secrets.length === 0 || text.length < shortestSecret) return text;
  return withoutForms(text, secrets).replace(severalMarks, mark);
}

/** The same of a text that somebody else has cut, maybe in the middle of a secret: what is left of that goes, too. */
export function redactExcerpt(text: string, secrets: readonly string[]): string {
  const whole = redact(text, secrets);
  const parts = secrets.flatMap(partsOf).flatMap((part) => [part, onOneLine(part)]);
  const from = Math.max(0, ...parts.map((part) => sharedLength(part, whole)));
  const to = Math.max(0, ...parts.map((part) => sharedLength(whole, part)));
  if (from + to >= whole.length) return from + to === 0 ? whole : mark;
  return `${from === 0 ? '' : mark}${whole.slice(from, whole.length - to)}${to === 0 ? '' : mark}`;
}

function withoutForms(text: string, secrets: readonly string[]): string {
  const forms = new Set(secrets.flatMap(formsOf).filter(({ length }) => length <= text.length));
  return [...forms]
    .filter((form) => form.length >= shortestSecret && text.includes(form))
    .toSorted((a, b) => b.length - a.length)
    .reduce((clean, form) => clean.replaceAll(form, mark), text);
}

/** The value and, as texts are mostly told by the line, its lines. */
function partsOf(secret: string): readonly string[] {
  const lines = secret.split(/[\r\n]/).map((line) => line.trim());
  return [...new Set([secret, ...lines])].filter(({ length }) => length >= shortestSecret);
}

function formsOf(secret: string): readonly string[] {
  const whole =
    secret.length < shortestSecret ? [] : [...base64Forms(secret), encodeURIComponent(secret.toWellFormed())];
  return [...whole, ...partsOf(secret).flatMap((part) => [part, onOneLine(part), ...quotedForms(part)])];
}

/** As a message has it; see stableText. */
function onOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** How many characters the end of `a` has in common with the start of `b`; 0 where they are too few to tell. */
function sharedLength(a: string, b: string): number {
  const longest = Math.min(a.length, b.length);
  for (let at = a.length - longest; at <= a.length - shortestSecret; at += 1) {
    if (a[at] === b[0] && b.startsWith(a.slice(at))) return a.length - at;
  }
  return 0;
}
