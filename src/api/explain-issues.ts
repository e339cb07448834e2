import type { z } from 'zod';

/** A failed parse on one line, path first: `spec.containers[0].image: is required`; the first three problems. */
export function explainIssues(error: z.ZodError, root = ''): string {
  const lines = error.issues.flatMap((issue) => explainIssue(issue, root));
  const more = lines.length - 3;
  return lines.slice(0, 3).join('; ') + (more > 0 ? `; and ${more} more` : '');
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
      return [`${formatPath(root, issue.path)}: must be ${issue.values.map(String).join(', ')}`];
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.map((inner) => `${formatPath(root, issue.path)}: ${inner.message}`);
    case 'invalid_format':
    case 'too_big':
    case 'too_small':
    case 'not_multiple_of':
    case 'invalid_union':
    case 'custom':
      return [`${formatPath(root, issue.path)}: ${lowerFirst(issue.message)}`];
    default:
      return issue satisfies never;
  }
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
      typeof key === 'number' ? `${text}[${key}]` : `${text}${text === '' ? '' : '.'}${String(key)}`,
    root,
  );
}
