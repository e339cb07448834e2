/**
 * Whether ECS has what is wanted. It fills in what nobody asked for, so that only what is wanted is compared; and it
 * answers with lists in an order of its own.
 */
export function covers(wanted: unknown, actual: unknown, isOrdered = false): boolean {
  if (Array.isArray(wanted)) return Array.isArray(actual) && coversAll(wanted, actual, isOrdered);
  if (typeof wanted !== 'object' || wanted === null) return wanted === actual;
  if (typeof actual !== 'object' || actual === null) return false;
  const has = actual as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(([key, value]) => value === undefined || covers(value, has[key]));
}

/** Whether two values say the same. */
export function equals(one: unknown, other: unknown): boolean {
  return covers(one, other) && covers(other, one);
}

function coversAll(wanted: readonly unknown[], actual: readonly unknown[], isOrdered: boolean): boolean {
  if (wanted.length !== actual.length) return false;
  if (isOrdered) return wanted.every((item, index) => covers(item, actual[index]));
  const left = [...actual];
  // What says more has fewer to choose from.
  const byDetail = wanted.toSorted((a, b) => JSON.stringify(b).length - JSON.stringify(a).length);
  return byDetail.every((item) => {
    const found = left.findIndex((one) => covers(item, one));
    if (found === -1) return false;
    left.splice(found, 1);
    return true;
  });
}
