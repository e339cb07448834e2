type JsonObject = Record<string, unknown>;

/**
 * The smallest RFC 7386 merge patch that turns `before` into `after`, or undefined where there is nothing to
 * change. Key order is irrelevant; undefined means absent, and so does null, for a merge patch can't set a null.
 * Lists are replaced whole.
 */
export function mergePatchDiff(before: unknown, after: unknown): unknown {
  if (!isObject(after)) return jsonEqual(before, after) ? undefined : after;
  if (!isObject(before)) return withoutAbsent(after);
  const changes = diffObjects(before, after);
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

/** Deep equality of JSON values; keys that hold undefined count as absent. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => jsonEqual(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  for (const key of Object.keys(a)) if (!jsonEqual(a[key], ownValue(b, key))) return false;
  return Object.keys(b).every((key) => Object.hasOwn(a, key) || b[key] === undefined);
}

function diffObjects(before: JsonObject, after: JsonObject): [string, unknown][] {
  const changes: [string, unknown][] = [];
  for (const key of Object.keys(before)) {
    if (!isAbsent(before[key]) && isAbsent(ownValue(after, key))) changes.push([key, null]);
  }
  for (const key of Object.keys(after)) {
    const wanted = after[key];
    if (isAbsent(wanted)) continue;
    const change = mergePatchDiff(ownValue(before, key), wanted);
    if (change !== undefined) changes.push([key, change]);
  }
  return changes;
}

// Through own properties only: a key named `__proto__` or `constructor` is data here.
function ownValue(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function withoutAbsent(value: unknown): unknown {
  if (!isObject(value)) return value;
  const present = Object.entries(value).filter(([, member]) => !isAbsent(member));
  return Object.fromEntries(present.map(([key, member]) => [key, withoutAbsent(member)]));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
