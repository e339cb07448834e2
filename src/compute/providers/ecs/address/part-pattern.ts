/** Names of the operator's config that stand for several of tenants: `NAMESPACE/NAME/KEY`, with `*` in the parts. Pure. */

/** `*` stands for any characters within a part; there are as many parts. */
export function fitsParts(pattern: string, parts: readonly string[]): boolean {
  const patterns = pattern.split('/');
  return (
    patterns.length === parts.length && patterns.every((part, index) => fitsPart(part, parts[index] ?? ''))
  );
}

/** In one go through the text, which a RegExp of many `.*` does not take. */
function fitsPart(pattern: string, text: string): boolean {
  const [start = '', ...between] = pattern.split('*');
  const end = between.pop();
  if (end === undefined) return text === start;
  if (!text.startsWith(start) || !text.endsWith(end)) return false;
  let from = start.length;
  for (const plain of between) {
    const found = text.indexOf(plain, from);
    if (found === -1) return false;
    from = found + plain.length;
  }
  return from <= text.length - end.length;
}
