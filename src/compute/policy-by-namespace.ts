import type { CommonPolicy } from './policy.ts';

/**
 * What the Tenants of each namespace may ask for: the top level of `policy` is for all, and each entry of
 * `policy.namespaces` adds to it for its own. Lists grow by those of the entry, whatever else it sets is set, and
 * objects are gone through key by key; of several entries for one namespace, the later one is laid over the earlier.
 */

type Rules = Readonly<Record<string, unknown>>;

/** An entry of `policy.namespaces`: which namespaces it is for, and the rules of `policy`, each optional. */
export interface NamespaceRules extends Rules {
  readonly names: readonly string[];
}

/** `policy` of the operator's config, as far as all providers share it. */
export type PolicyRules = CommonPolicy & { readonly namespaces?: readonly NamespaceRules[] };

/** What a provider holds the Tenants of a namespace to. */
export type PolicyOf<Own> = (namespace: string) => {
  readonly commonPolicy: CommonPolicy;
  /** `policy.NAME`. */
  readonly policy: Own;
};

/** `own`: `policy.NAME` of the operator's config, at its top level. */
export function policyOf<Own>(rules: PolicyRules, name: string, own: Own): PolicyOf<Own> {
  const all = { ...rules, [name]: own };
  return (namespace) => {
    const merged = policyFor(all, namespace);
    return { commonPolicy: merged, policy: (merged as Rules)[name] as Own };
  };
}

/** Whether Tenants of the namespace may leave behind what they run: where it has rules of its own, they must say so. */
export function allowsRetain(policy: PolicyRules, namespace: string): boolean {
  const own = policyFor(policy, namespace);
  return own.allow_retain ?? own === policy;
}

/** What any namespace at all may ask for. */
export function widestPolicy<Own>(rules: PolicyRules, name: string, own: Own): Own {
  return mergedWith({ ...rules, [name]: own }, rules.namespaces ?? [])[name] as Own;
}

/** By the entries that it is made of, which are the same for many a namespace. */
const known = new WeakMap<PolicyRules, Map<string, PolicyRules>>();

/** Equal ones are the same object. */
export function policyFor<Policy extends PolicyRules>(policy: Policy, namespace: string): Policy {
  const entries = [...(policy.namespaces ?? []).entries()].filter(([, { names }]) =>
    names.includes(namespace),
  );
  if (entries.length === 0) return policy;
  const key = entries.map(([index]) => index).join();
  const merged = known.get(policy) ?? new Map<string, PolicyRules>();
  known.set(policy, merged);
  const found =
    merged.get(key) ??
    mergedWith(
      policy,
      entries.map(([, rules]) => rules),
    );
  merged.set(key, found as PolicyRules);
  return found as Policy;
}

function mergedWith(policy: Rules, entries: readonly NamespaceRules[]): Rules {
  return entries.reduce<Rules>((below, { names: _whose, ...rules }) => laidOver(below, rules), policy);
}

function laidOver(below: Rules, rules: Rules): Rules {
  const merged = new Map(Object.entries(below));
  for (const [key, rule] of Object.entries(rules)) {
    if (rule !== undefined) merged.set(key, besides(merged.get(key), rule));
  }
  return Object.fromEntries(merged);
}

function besides(below: unknown, rule: unknown): unknown {
  if (Array.isArray(below) && Array.isArray(rule)) return [...(below as unknown[]), ...(rule as unknown[])];
  return isRules(below) && isRules(rule) ? laidOver(below, rule) : rule;
}

function isRules(value: unknown): value is Rules {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
