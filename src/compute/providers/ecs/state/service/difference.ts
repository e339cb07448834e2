import type { Effect } from '../../../../../api/status.ts';

/** How what ECS shows differs from what is desired. */

export interface Difference {
  readonly path: string;
  readonly desired: string;
  readonly actual: string;
  readonly effect: Effect;
}

type Scalar = string | number | boolean;

export function difference(
  path: string,
  desired: Scalar,
  actual: Scalar | undefined,
  effect: Effect = 'replace',
): readonly Difference[] {
  return desired === actual
    ? []
    : [{ path, desired: String(desired), actual: String(actual ?? 'none'), effect }];
}

/** What is said of it: scalars as they are, `none` for nothing. */
export function shownText(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
