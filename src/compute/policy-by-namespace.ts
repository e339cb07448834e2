import { ComputeError } from './errors.ts';
import { parseLabelSelector } from './label-selector.ts';
import type { LabelSelector, LabelsOf } from './label-selector.ts';
import type { CommonPolicy } from './policy.ts';

/**
 * What the Tenants of each namespace may ask for: the top level of `policy` is for all, and each entry of
 * `policy.namespaces` adds to it for its own. Lists grow by those of the entry, whatever else it sets is set, and
 * objects are gone through key by key; of several entries for one namespace, the later one is laid over the earlier.
 *
 * An entry may narrow as well as widen, and what it sets may be part of what runs already. So while nobody knows whether
 * one is for a namespace, neither it nor the top level alone is the policy there: nothing is granted, and nothing changed.
 */

type Rules = Readonly<Record<string, unknown>>;

/** An entry of `policy.namespaces`: which namespaces it is for, and the rules of `policy`, each optional. */
export interface NamespaceRules extends Rules {
  readonly names: readonly string[];
  /** Label selector of further ones. Empty: none. */
  readonly selector?: string;
}

/** `policy` of the operator's config, as far as all providers share it. */
export type PolicyRules = CommonPolicy & {
  readonly namespaces?: readonly NamespaceRules[];
  /** The labels of namespaces, for selectors. Left out: they are known of none. */
  readonly labelsOf?: LabelsOf;
};

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

/**
 * Whether Tenants of the namespace may leave behind what they run: where it has rules of its own, they must say so.
 * Undefined: that depends on labels that are not known.
 */
export function allowsRetain(policy: PolicyRules, namespace: string): boolean | undefined {
  const { sure, open } = entriesFor(policy, namespace);
  const own = withEntries(policy, sure);
  const allowed = own.allow_retain ?? own === policy;
  if (open.length === 0) return allowed;
  return allowed || open.some(({ allow_retain }) => allow_retain === true) ? undefined : false;
}

/** What any namespace at all may ask for. */
export function widestPolicy<Own>(rules: PolicyRules, name: string, own: Own): Own {
  return mergedWith({ ...rules, [name]: own }, rules.namespaces ?? [])[name] as Own;
}

/** By the entries that it is made of, which are the same for many a namespace. */
const known = new WeakMap<PolicyRules, Map<string, PolicyRules>>();

/** Equal ones are the same object. Throws ComputeError AccessDenied where it depends on labels that are not known. */
export function policyFor<Policy extends PolicyRules>(policy: Policy, namespace: string): Policy {
  const { sure, open } = entriesFor(policy, namespace);
  if (open.length > 0) throw unknownLabels(namespace);
  return withEntries(policy, sure);
}

export function unknownLabels(namespace: string): ComputeError {
  return new ComputeError(
    'AccessDenied',
    `policy.namespaces: the labels of namespace ${namespace} are not known, and with them what it may ask for; ` +
      'the service account of the operator needs get, list and watch on namespaces (component namespace-selectors)',
  );
}

interface Entries {
  /** Positions of those that are for the namespace. */
  readonly sure: readonly number[];
  /** Those that may be. */
  readonly open: readonly NamespaceRules[];
}

function entriesFor({ namespaces = [], labelsOf }: PolicyRules, namespace: string): Entries {
  const sure: number[] = [];
  const open: NamespaceRules[] = [];
  for (const [index, entry] of namespaces.entries()) {
    const selects = selectorOf(entry);
    const labels = labelsOf?.(namespace);
    if (entry.names.includes(namespace)) sure.push(index);
    else if (selects === undefined) continue;
    else if (labels === undefined) open.push(entry);
    else if (selects(labels)) sure.push(index);
  }
  return { sure, open };
}

const selectors = new WeakMap<NamespaceRules, LabelSelector>();

function selectorOf(entry: NamespaceRules): LabelSelector | undefined {
  const { selector = '' } = entry;
  if (selector === '') return undefined;
  const parsed = selectors.get(entry) ?? parseLabelSelector(selector);
  selectors.set(entry, parsed);
  return parsed;
}

function withEntries<Policy extends PolicyRules>(policy: Policy, entries: readonly number[]): Policy {
  if (entries.length === 0) return policy;
  const key = entries.join();
  const merged = known.get(policy) ?? new Map<string, PolicyRules>();
  known.set(policy, merged);
  const own = (policy.namespaces ?? []).filter((_entry, index) => entries.includes(index));
  const found = merged.get(key) ?? mergedWith(policy, own);
  merged.set(key, found as PolicyRules);
  return found as Policy;
}

function mergedWith(policy: Rules, entries: readonly NamespaceRules[]): Rules {
  return entries.reduce<Rules>(
    (below, { names: _names, selector: _selector, ...rules }) => laidOver(below, rules),
    policy,
  );
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
