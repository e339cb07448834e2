import { z } from 'zod';

/**
 * One cross-field rule, in both of its languages: CEL for the apiserver, a predicate for zod.
 * A test sends the same manifests through both, so that they can't come apart.
 */
export interface Rule<T> {
  /** Absent where it is more than CEL can say: then zod alone checks it. */
  readonly rule?: string;
  readonly message: string;
  /** The field the rule is about, relative to the object, for example `.tenantId`. */
  readonly fieldPath?: string;
  /** Whether `value` keeps the rule. Absent for transition rules (oldSelf), which only the apiserver can check. */
  readonly holds?: (value: T) => boolean;
}

/** `schema` with the rules checked by zod and written into the CRD as x-kubernetes-validations. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  const checked = schema.superRefine((value, context) => {
    for (const { holds, message, fieldPath } of rules) {
      if (holds === undefined || holds(value)) continue;
      context.addIssue({ code: 'custom', message, path: fieldPath?.split('.').filter(Boolean) ?? [] });
    }
  });
  return checked.meta({
    ...schema.meta(),
    'x-kubernetes-validations': rules.flatMap(({ rule, message, fieldPath }) =>
      rule === undefined ? [] : [{ rule, message, ...(fieldPath === undefined ? {} : { fieldPath }) }],
    ),
  });
}

/**
 * `list` as a map by `keys`: two items with the same keys are refused. The apiserver does so by itself, and merges
 * such lists item by item on apply.
 */
export function listMap<Item extends z.ZodType<Readonly<Record<string, unknown>>>>(
  list: z.ZodArray<Item>,
  keys: readonly string[],
): z.ZodArray<Item> {
  const checked = list.superRefine((items, context) => {
    const seen = new Set<string>();
    for (const [index, item] of items.entries()) {
      const names = Object.fromEntries(keys.map((key) => [key, item[key]]));
      const text = JSON.stringify(names);
      if (seen.has(text)) context.addIssue({ code: 'custom', message: `duplicates ${text}`, path: [index] });
      seen.add(text);
    }
  });
  return checked.meta({
    ...list.meta(),
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': [...keys],
  });
}

/** What the keys of a map must be: a check for zod, and its pattern and longest length for the apiserver. */
export interface MapKey {
  readonly pattern: RegExp;
  /** What no key may match. */
  readonly reserved?: RegExp;
  readonly maxLength: number;
  readonly message: string;
}

/**
 * A map of at most `maxEntries` values whose keys are checked too. Key patterns of a record are lost in the CRD, so
 * they go there as a CEL rule; `maxEntries` keeps its estimated cost within the apiserver's budget.
 */
export function keyedMap<Value extends z.ZodType>(
  key: MapKey,
  value: Value,
  maxEntries: number,
): z.ZodRecord<z.ZodString, Value> {
  const { pattern, reserved, maxLength, message } = key;
  const isFree = (text: string): boolean => reserved?.test(text) !== true;
  const keySchema = z.string().max(maxLength, message).regex(pattern, message).refine(isFree, message);
  const map = z.record(keySchema, value).refine((entries) => Object.keys(entries).length <= maxEntries, {
    message: `must have at most ${maxEntries} entries`,
  });
  const free = reserved === undefined ? '' : ` && !key.matches(r'${reserved.source}')`;
  return map.meta({
    maxProperties: maxEntries,
    'x-kubernetes-validations': [
      {
        rule: `self.all(key, size(key) <= ${maxLength} && key.matches(r'${pattern.source}')${free})`,
        message: `each key ${message}`,
      },
    ],
  });
}

/** The same, of strings. */
export const stringMap: (
  key: MapKey,
  value: z.ZodString,
  maxEntries: number,
) => z.ZodRecord<z.ZodString, z.ZodString> = keyedMap;
