import { createHash } from 'node:crypto';

/** What a mark says of settings: by their codes, a few signs of what was asked for. */
export type SettingMarks = Readonly<Record<string, string>>;

/** 24 bits: enough to tell an edit, which changes what ECS is asked for, too. */
const digestLength = 4;

export function marksOf(asked: readonly (readonly [code: string, value: unknown])[]): SettingMarks {
  return Object.fromEntries(
    asked.flatMap(([code, value]) => (value === undefined ? [] : [[code, digestOf(value)]])),
  );
}

export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, digestLength);
}

/** `hg:Ab1_.lb:x-9Z` */
export function marksText(marks: SettingMarks): string {
  return Object.entries(marks)
    .map(([code, digest]) => `${code}:${digest}`)
    .toSorted()
    .join('.');
}

export function readMarks(text: string | undefined): SettingMarks {
  const parts = text === undefined ? [] : text.split('.').map((part) => part.split(':'));
  return Object.fromEntries(parts.map(([code = '', digest = '']) => [code, digest]));
}
