type Plain = Readonly<Record<string, unknown>>;

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `over` laid over `base`: objects merge by key, lists and scalars replace, null unsets, undefined leaves the base. */
export function mergeConfig(base: Plain, over: Plain): Record<string, unknown> {
  // A Map, for which a key such as __proto__ is one like the others.
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    if (value === null) merged.delete(key);
    else if (isPlain(value)) merged.set(key, mergeConfig(isPlain(below) ? below : {}, value));
    else if (value !== undefined) merged.set(key, value);
  }
  return Object.fromEntries(merged);
}
