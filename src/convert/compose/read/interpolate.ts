/** Variables in compose's values: https://docs.docker.com/reference/compose-file/interpolation/ */

export type Variables = (name: string) => string | undefined;

export interface Interpolated {
  readonly text: string;
  /** Names of variables without a value, and what stands behind `?` where one is required. */
  readonly missing: readonly Missing[];
}

export interface Missing {
  readonly name: string;
  readonly isRequired: boolean;
  readonly message: string;
}

const reference = /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(:?[-?+])?)/y;

/** `text` with its variables replaced. What is no reference to one stays as it is. */
export function interpolate(text: string, variables: Variables): Interpolated {
  const missing: Missing[] = [];
  return { text: replaced(text, variables, missing), missing };
}

function replaced(text: string, variables: Variables, missing: Missing[]): string {
  let done = '';
  for (let at = 0; at < text.length;) {
    reference.lastIndex = at;
    const match = text[at] === '$' ? reference.exec(text) : null;
    if (match === null) {
      done += text[at++];
      continue;
    }
    const [whole, escaped, bare, braced, operator = ''] = match;
    at += whole.length;
    if (escaped !== undefined) {
      done += '$';
    } else if (bare !== undefined) {
      done += valueOf({ name: bare, operator: '', word: '' }, variables, missing);
    } else {
      const end = closingBrace(text, at);
      done += valueOf({ name: braced ?? '', operator, word: text.slice(at, end) }, variables, missing);
      at = end + 1;
    }
  }
  return done;
}

/** Where the brace closes that was opened before `from`. */
function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++;
    if (text[at] === '}' && --depth === 0) return at;
  }
  return text.length;
}

interface Reference {
  readonly name: string;
  readonly operator: string;
  /** What stands behind the operator. */
  readonly word: string;
}

function valueOf({ name, operator, word }: Reference, variables: Variables, missing: Missing[]): string {
  const value = variables(name);
  const isGiven = value !== undefined && !(operator.startsWith(':') && value === '');
  if (operator.endsWith('+')) return isGiven ? replaced(word, variables, missing) : '';
  if (isGiven) return value;
  if (operator.endsWith('-')) return replaced(word, variables, missing);
  missing.push({ name, isRequired: operator.endsWith('?'), message: word });
  return '';
}
