import { note } from '../../finding.ts';
import type { Note } from '../../finding.ts';
import { interpolate } from './interpolate.ts';
import type { Missing, Variables } from './interpolate.ts';
import { isDict } from '../../read/scalars.ts';
import type { Dict } from '../../read/scalars.ts';

export interface Filled {
  readonly document: Dict;
  readonly notes: readonly Note[];
  /** Where a variable has no value that is to have one. */
  readonly unfilled: readonly string[];
}

/** A document with its variables replaced by their values; each that has none is noted once, where it stands first. */
export function fillVariables(source: Dict, variables: Variables): Filled {
  const missing = new Map<string, { readonly from: string; isRequired: boolean }>();
  const unfilled: string[] = [];
  const fill = (value: unknown, from: string): unknown => {
    if (typeof value === 'string') {
      const filled = interpolate(value, variables);
      if (filled.missing.length > 0) unfilled.push(from);
      for (const one of filled.missing) remember(missing, one, from);
      return filled.text;
    }
    if (Array.isArray(value)) return value.map((one, index) => fill(one, `${from}[${index}]`));
    if (!isDict(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, fill(one, from === '' ? key : `${from}.${key}`)]),
    );
  };
  const document = fill(source, '') as Dict;
  const notes = [...missing].map(([name, { from, isRequired }]) =>
    note(
      'needs',
      from,
      isRequired
        ? `a value of the variable ${name}, without which compose does not start: name it by --env-file`
        : `a value of the variable ${name}, if it is to have one: empty here, as in compose`,
    ),
  );
  return { document, notes, unfilled };
}

function remember(
  missing: Map<string, { readonly from: string; isRequired: boolean }>,
  { name, isRequired }: Missing,
  from: string,
): void {
  const known = missing.get(name);
  if (known === undefined) missing.set(name, { from, isRequired });
  else known.isRequired ||= isRequired;
}
