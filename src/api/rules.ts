import type { z } from 'zod';

/**
 * One cross-field rule, in both of its languages: CEL for the apiserver, a predicate for zod.
 * A test sends the same manifests through both, so that they can't come apart.
 */
export interface Rule<T> {
  readonly rule: string;
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
    'x-kubernetes-validations': rules.map(({ rule, message, fieldPath }) => ({
      rule,
      message,
      ...(fieldPath === undefined ? {} : { fieldPath }),
    })),
  });
}
