import type { EcsScope } from '../address/service-target.ts';

/** What was answered last, by the role that asked and the name of what it asked about: each role may be told something else. */
export interface AnswersByRole<T> {
  /** Those of `names` that were not asked about within the last moments, at `now`. */
  due(scope: EcsScope, names: readonly string[], now: number): readonly string[];
  /** `askedAt`: in milliseconds of a monotonic clock. */
  note(scope: EcsScope, name: string, answer: T, askedAt: number): void;
  /** Undefined: nothing was answered yet. */
  last(scope: EcsScope, name: string): { readonly answer: T } | undefined;
  /** Forgets these: they are due again. */
  drop(scope: EcsScope, names: readonly string[]): void;
  /** Forgets all others. */
  keep(wanted: readonly { readonly scope: EcsScope; readonly names: readonly string[] }[]): void;
}

/** `freshMs`: as long nobody need ask again, in milliseconds. */
export function createAnswersByRole<T>(freshMs: number): AnswersByRole<T> {
  const answers = new Map<string, { readonly answer: T; readonly askedAt: number }>();
  return {
    due: (scope, names, now) =>
      names.filter((name) => {
        const before = answers.get(keyOf(scope, name));
        return before === undefined || now - before.askedAt >= freshMs;
      }),
    note: (scope, name, answer, askedAt) => void answers.set(keyOf(scope, name), { answer, askedAt }),
    last: (scope, name) => answers.get(keyOf(scope, name)),
    drop: (scope, names) => {
      for (const name of names) answers.delete(keyOf(scope, name));
    },
    keep(wanted) {
      const keys = new Set(wanted.flatMap(({ scope, names }) => names.map((name) => keyOf(scope, name))));
      for (const key of answers.keys()) if (!keys.has(key)) answers.delete(key);
    },
  };
}

function keyOf({ roleArn = '' }: EcsScope, name: string): string {
  return `${roleArn} ${name}`;
}
