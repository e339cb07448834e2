import { base64Forms, quotedForms, unquotedVersions } from './secret-forms.ts';

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
  const parts = secrets.flatMap((secret) => partsOf(secret)).flatMap((part) => [part, onOneLine(part)]);
  let [from, to] = [0, 0];
  for (const part of parts) {
    from = Math.max(from, sharedLength(part, whole));
    to = Math.max(to, sharedLength(whole, part));
  }
  if (from + to >= whole.length) return from + to === 0 ? whole : mark;
  return `${from === 0 ? '' : mark}${whole.slice(from, whole.length - to)}${to === 0 ? '' : mark}`;
}

function withoutForms(text: string, secrets: readonly string[]): string {
  const seen = startsIn(text);
  const forms = new Set(secrets.flatMap((secret) => formsIn(seen, secret)));
  return [...forms]
    .filter((form) => form.length >= shortestSecret && form.length <= text.length && text.includes(form))
    .toSorted((a, b) => b.length - a.length)
    .reduce((clean, form) => clean.replaceAll(form, mark), text);
}

/** Whether there may be something in a text that starts so: who makes a secret of 100,000 lines pays for one look at each. */
type Starts = ReadonlySet<string>;

/** Of the text, and of what it is once what is quoted in it is not. */
function startsIn(text: string): Starts {
  const starts = new Set<string>();
  for (const version of unquotedVersions(text)) {
    for (let at = 0; at + shortestSecret <= version.length; at += 1) {
      starts.add(version.slice(at, at + shortestSecret));
    }
  }
  return starts;
}

/** The value and, as texts are mostly told by the line, its lines: those that are wanted. */
function partsOf(secret: string, isWanted: (part: string) => boolean = () => true): readonly string[] {
  const parts = [secret, ...secret.split(/[\r\n]/).map((line) => line.trim())];
  return parts.filter((part) => part.length >= shortestSecret && isWanted(part));
}

/** Those that there may be. */
function formsIn(seen: Starts, secret: string): readonly string[] {
  const whole =
    secret.length < shortestSecret ? [] : [...base64Forms(secret), encodeURIComponent(secret.toWellFormed())];
  const parts = partsOf(secret, (part) => isStarted(seen, part));
  return [...whole, ...parts.flatMap((part) => [part, onOneLine(part), ...quotedForms(part)])];
}

function isStarted(seen: Starts, part: string): boolean {
  const start = part.slice(0, shortestSecret);
  return seen.has(start) || (/\s/.test(start) && seen.has(onOneLine(part).slice(0, shortestSecret)));
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
