type Plain = Readonly<Record<string, unknown>>;

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `over` laid over `base`: objects merge by key, lists and scalars replace, what is undefined leaves the base. */
export function mergeConfig(base: Plain, over: Plain): Record<string, unknown> {
  // A Map, for which a key such as __proto__ is one like the others.
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged.get(key);
    merged.set(key, isPlain(below) && isPlain(value) ? mergeConfig(below, value) : value);
  }
  return Object.fromEntries(merged);
}
