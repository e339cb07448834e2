import type { z } from 'zod';

/** A failed parse on one line, path first: `spec.containers[0].image: is required`; the first three problems. */
export function explainIssues(error: z.ZodError, root = ''): string {
  const lines = error.issues.flatMap((issue) => explainIssue(issue, root)).map(short);
  const more = lines.length - 3;
  return lines.slice(0, 3).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** A key, too, may be as long as its writer likes. */
const longestLine = 250;

function short(line: string): string {
  return line.length <= longestLine ? line : `${line.slice(0, longestLine)}…`;
}

function explainIssue(issue: z.core.$ZodIssue, root: string): string[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => `${formatPath(root, [...issue.path, key])}: is not a known key`);
    case 'invalid_type':
      if (issue.input === undefined && issue.message.includes('undefined')) {
        return [`${formatPath(root, issue.path)}: is required`];
      }
      return [`${formatPath(root, issue.path)}: must be ${withArticle(issue.expected)}`];
    case 'invalid_value':
      return [`${formatPath(root, issue.path)}: must be ${oneOf(issue.values)}`];
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.map((inner) => `${formatPath(root, issue.path)}: ${inner.message}`);
    case 'too_big':
      return [`${formatPath(root, issue.path)}: ${outOfBounds(issue, 'at most', issue.maximum)}`];
    case 'too_small':
      return [`${formatPath(root, issue.path)}: ${outOfBounds(issue, 'at least', issue.minimum)}`];
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_union':
    case 'custom':
      return [`${formatPath(root, issue.path)}: ${lowerFirst(issue.message)}`];
    default:
      return issue satisfies never;
  }
}

function oneOf(values: readonly z.core.util.Primitive[]): string {
  return `${values.length > 1 ? 'one of ' : ''}${values.map(String).join(', ')}`;
}

/** zod's own words are not for people; those of the schema's author are. */
function outOfBounds(
  { message, origin }: { readonly message: string; readonly origin: string },
  bound: 'at most' | 'at least',
  limit: number | bigint,
): string {
  if (!/^Too (big|small):/.test(message)) return lowerFirst(message);
  if (origin === 'string') return `must have ${bound} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  if (origin === 'array') return `must have ${bound} ${limit} ${limit === 1 ? 'item' : 'items'}`;
  return `must be ${bound} ${limit}`;
}

function withArticle(noun: string): string {
  if (noun === 'int') return 'a whole number';
  if (noun === 'record') return 'an object';
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function formatPath(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : `${text}${text === '' ? '' : '.'}${readableKey(key)}`,
    root,
  );
}

/** A user's key can hold anything, line breaks too. */
function readableKey(key: PropertyKey): string {
  const text = String(key);
  return /^[\w./-]+$/.test(text) ? text : JSON.stringify(text);
}
