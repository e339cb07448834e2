import { z } from 'zod';
import { explainIssues } from '../api/explain-issues.ts';
import type { TenantSpecSchema } from '../api/tenant.ts';
import { note } from './finding.ts';
import type { Note, Placed, Step } from './finding.ts';

export interface Settled {
  /** Undefined: refused. */
  readonly spec: object | undefined;
  readonly notes: readonly Note[];
}

/**
 * The spec that `places` make. The schema is the only judge of what a Tenant can say: what it refuses is left out, with
 * its words as a note where the value came from.
 */
export function settle(places: readonly Placed[], schema: TenantSpecSchema): Settled {
  const notes: Note[] = [];
  for (let left = places; ;) {
    const { root, origins } = built(left);
    const { error } = schema.safeParse(root);
    if (error === undefined) return { spec: root, notes };
    const blamed = new Set<Placed>();
    for (const issue of error.issues.flatMap(oneByOne)) {
      const text = explainIssues(new z.ZodError([issue]), 'spec');
      const guilty = guiltyOf(issue, origins) ?? incomplete(issue.path, origins);
      const isVital = guilty.length === 0 || guilty.some(isOfAllContainers);
      if (isVital)
        return { spec: undefined, notes: [...notes, note('refused', guilty[0]?.from ?? 'services', text)] };
      for (const place of guilty) {
        if (!blamed.has(place)) notes.push(note('dropped', place.from, text));
        blamed.add(place);
      }
    }
    left = left.filter((place) => !blamed.has(place));
  }
}

/** One issue for each key that is not known. */
function oneByOne(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ ...issue, keys: [key] })) : [issue];
}

/** What no container can be without. */
function isOfAllContainers({ at }: Placed): boolean {
  return at.length === 3 && at[0] === 'containers' && (at[2] === 'name' || at[2] === 'image');
}

/** Each place by its path in what is built, such as `containers.0.env.3`. */
type Origins = ReadonlyMap<string, Placed>;

const pathOf = (steps: readonly PropertyKey[]): string => JSON.stringify(steps);

function built(places: readonly Placed[]): { readonly root: object; readonly origins: Origins } {
  const root: Record<string, unknown> = {};
  const origins = new Map<string, Placed>();
  const names = new Map<object, string[]>();
  for (const place of places) {
    const path: PropertyKey[] = [];
    let inside: Record<PropertyKey, unknown> = root;
    for (const [index, step] of place.at.entries()) {
      const key = keyOf(step, inside, names);
      path.push(key);
      const next = place.at[index + 1];
      if (next === undefined) inside[key] = place.value;
      else inside = (inside[key] ??= typeof next === 'string' ? {} : []) as Record<PropertyKey, unknown>;
    }
    origins.set(pathOf(path), place);
  }
  return { root, origins };
}

function keyOf(step: Step, inside: object, names: Map<object, string[]>): PropertyKey {
  if (typeof step === 'string') return step;
  const known = names.get(inside) ?? [];
  names.set(inside, known);
  const index = known.indexOf(step.item);
  return index === -1 ? known.push(step.item) - 1 : index;
}

/** Undefined: it is about what nobody placed. */
function guiltyOf(issue: z.core.$ZodIssue, origins: Origins): readonly Placed[] | undefined {
  const paths =
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
  const guilty = paths.flatMap((path) => {
    const holders = holding(path, origins);
    return holders.length > 0 || issue.code !== 'unrecognized_keys' ? holders : within(path, origins);
  });
  return guilty.length === 0 ? undefined : guilty;
}

/** As deep as what may be left out as a whole: a key of a block, a port of a container. */
const leastDepth = 3;

/** What lacks something that it can't be without, or has too much of it: the smallest whole around it. */
function incomplete(path: readonly PropertyKey[], origins: Origins): readonly Placed[] {
  for (let length = path.length; length >= leastDepth; length--) {
    const parts = within(path.slice(0, length), origins);
    if (parts.length > 0) return parts;
  }
  return [];
}

/** The place that `path` is in. */
function holding(path: readonly PropertyKey[], origins: Origins): readonly Placed[] {
  for (let length = path.length; length > 0; length--) {
    const place = origins.get(pathOf(path.slice(0, length)));
    if (place !== undefined) return [place];
  }
  return [];
}

function within(path: readonly PropertyKey[], origins: Origins): readonly Placed[] {
  const start = `${pathOf(path).slice(0, -1)},`;
  return [...origins].filter(([origin]) => origin.startsWith(start)).map(([, place]) => place);
}
