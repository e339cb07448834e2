/**
 * What an engine says, made fit for a message that stands in a Tenant's status: on one line, without what differs
 * between two tries of the same thing, and without the credentials that a URL may carry along. What only one engine
 * says (request ids, task ids) is for that engine's own rules, which come as `own`.
 */
export function stableText(text: string, own: readonly TextRule[] = [], maxLength = Infinity): string {
  return [...credentials, ...own, blanks]
    .reduce((clean, [pattern, replacement]) => clean.replaceAll(pattern, replacement), text)
    .trim()
    .slice(0, maxLength)
    .trimEnd();
}

/** A pattern with the flag `g`, and what takes its place. */
export type TextRule = readonly [pattern: RegExp, replacement: string];

/** User names and passwords, then tokens and signatures, in URLs. */
const credentials: readonly TextRule[] = [
  [/(\w+:\/\/)[^\s/@"]+@/g, '$1'],
  [/(\w+:\/\/[^\s?"]+)\?[^\s"]*/g, '$1'],
];

const blanks: TextRule = [/\s+/g, ' '];
