import { interpolate } from './interpolate.ts';
import type { Variables } from './interpolate.ts';

/** https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax */

const line =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:[=:][ \t]*('[^']*'|"(?:[^"\\]|\\[\s\S])*"|[^\r\n]*))?/gm;

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** The variables that `text` sets; those without `=` are left out. Later ones may name earlier ones, and `outer`. */
export function parseEnvFile(text: string, outer: Variables): ReadonlyMap<string, string> {
  const set = new Map<string, string>();
  const known: Variables = (name) => set.get(name) ?? outer(name);
  for (const [, name = '', value] of text.matchAll(line)) {
    if (value !== undefined) set.set(name, unquoted(value, known));
  }
  return set;
}

function unquoted(value: string, known: Variables): string {
  if (value.startsWith("'") && value.endsWith("'") && value.length > 1) return value.slice(1, -1);
  if (value.startsWith('"') && value.endsWith('"') && value.length > 1) {
    const inner = value
      .slice(1, -1)
      .replaceAll(/\\([\s\S])/g, (_whole, sign: string) => escapes[sign] ?? sign);
    return interpolate(inner, known).text;
  }
  const comment = value.search(/[ \t]#/);
  const bare = value.startsWith('#') ? '' : comment === -1 ? value : value.slice(0, comment);
  return interpolate(bare.trim(), known).text;
}
