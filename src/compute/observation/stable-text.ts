import { cutText } from './engine-text.ts';

/**
 * What an engine says, made fit for a message that stands in a Tenant's status: on one line, without what differs
 * between two tries of the same thing, and without the credentials that a URL may carry along. What only one engine
 * says (request ids, task ids) is for that engine's own rules, which come as `own` and see no two blanks in a row.
 */
export function stableText(text: string, own: readonly TextRule[] = [], maxLength = Infinity): string {
  return own
    .reduce(
      (clean, [pattern, replacement]) => clean.replaceAll(pattern, replacement),
      withoutCredentials(text),
    )
    .replaceAll(blanks, ' ')
    .trim()
    .slice(0, maxLength)
    .trimEnd();
}

/** A pattern with the flag `g`, and what takes its place. */
export type TextRule = readonly [pattern: RegExp, replacement: string];

const blanks = /\s+/g;

/** A URL as far as the next blank or quote: whatever it holds, each character is looked at once. */
const url = /\b\w+:\/\/[^\s"]+/g;

function withoutCredentials(text: string): string {
  return cutText(text).replaceAll(blanks, ' ').replaceAll(url, bareUrl);
}

/** Without user name and password, tokens and signatures. */
function bareUrl(text: string): string {
  const [address = ''] = text.split('?');
  const start = address.indexOf('://') + '://'.length;
  const slash = address.indexOf('/', start);
  const host = slash === -1 ? address.slice(start) : address.slice(start, slash);
  return `${address.slice(0, start)}${host.slice(host.lastIndexOf('@') + 1)}${slash === -1 ? '' : address.slice(slash)}`;
}
