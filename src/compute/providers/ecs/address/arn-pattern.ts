/**
 * An ARN of the operator's `secret_arns`, with placeholders for the parts of a Secret's key. Parts are the tenants' to choose:
 * what stands between two of them must tell where the one ends, or two Secrets, of two namespaces even, share an ARN. Pure.
 */

/** What Kubernetes lets not stand in each part. */
const foreignTo = { namespace: /[^a-z0-9-]/, name: /[^a-z0-9.-]/, key: /[^A-Za-z0-9._-]/ } as const;
type Part = keyof typeof foreignTo;

const placeholder = /\{([^{}]*)\}/g;

export function fillArn(pattern: string, parts: Readonly<Record<Part, string>>): string {
  return pattern.replaceAll(placeholder, (match, part: string) => (isPart(part) ? parts[part] : match));
}

/** What is wrong with the pattern, in words that follow its path. Undefined: nothing. */
export function arnPatternFault(pattern: string): string | undefined {
  const pieces = pattern.split(placeholder);
  const [plain, placeholders] = [0, 1].map((odd) => pieces.filter((_, index) => index % 2 === odd));
  const texts = plain ?? [];
  const unknown = (placeholders ?? []).find((part) => !isPart(part));
  if (unknown !== undefined || texts.some((text) => /[{}]/.test(text))) {
    const what = unknown === undefined ? 'a brace without its other half' : `{${unknown}}`;
    return `has ${what}; the placeholders are {namespace}, {name} and {key}`;
  }
  const parts = (placeholders ?? []).filter(isPart);
  const joints = parts.slice(1).map((after, index): Joint => ({
    before: parts[index] ?? after,
    text: texts[index + 1] ?? '',
    after,
  }));
  // Read from either end, a part that was read before is known, wherever it stands again.
  const backwards = joints
    .toReversed()
    .map(({ before, text, after }) => ({ before: after, text, after: before }));
  const unclear = firstUnclear(joints);
  if (unclear === undefined || firstUnclear(backwards) === undefined) return undefined;
  const { before, text, after } = unclear;
  return (
    `joins {${before}} and {${after}} by ${text === '' ? 'nothing' : `"${text}"`}, which a name may have in it: two ` +
    "Secrets, also of two namespaces, could mean one ARN. Put something between them that no name has, such as '/'"
  );
}

interface Joint {
  readonly before: Part;
  readonly text: string;
  readonly after: Part;
}

/** The first after which nobody can tell where the part before it ends. */
function firstUnclear(joints: readonly Joint[]): Joint | undefined {
  const known = new Set<Part>();
  return joints.find(({ before, text }) => {
    const isClear = known.has(before) || foreignTo[before].test(text);
    known.add(before);
    return !isClear;
  });
}

function isPart(text: string): text is Part {
  return Object.hasOwn(foreignTo, text);
}
