import { Unsayable } from '../../finding.ts';

const word = /(?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+/y;
const part = /\\([\s\S])|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|[^\\'"]+/g;

/** A command line as a shell splits it, which compose does with commands that are no lists. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text.charAt(at))) {
      at++;
      continue;
    }
    word.lastIndex = at;
    const match = word.exec(text)?.[0];
    if (match === undefined) throw new Unsayable('has a quote that does not end');
    words.push(unquoted(match));
    at += match.length;
  }
  return words;
}

function unquoted(text: string): string {
  return text.replaceAll(part, (plain: string, escaped?: string, single?: string, double?: string) => {
    if (escaped !== undefined) return escaped === '\n' ? '' : escaped;
    return (
      single ??
      double?.replaceAll(/\\([$`"\\\n])/g, (_whole, sign: string) => (sign === '\n' ? '' : sign)) ??
      plain
    );
  });
}
