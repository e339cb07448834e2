import type { Change } from '../../../../provider.ts';
import { isCompleted } from '../container-end.ts';
import type { ObservedContainer } from '../observed-container.ts';

interface Standing {
  readonly desired: { readonly isDone: boolean };
  readonly current: ObservedContainer | undefined;
  readonly next: ObservedContainer | undefined;
  readonly currentMatches: boolean;
}

/**
 * What there is to do about a release: to run it, or to wait for its end. It is no drift: what is gone of it and was done is
 * remembered, and what is not done is the spec's to ask for. Pure.
 */
export function releaseChanges({ desired, current, next, currentMatches }: Standing): readonly Change[] {
  const change = { path: 'release', cause: 'spec', effect: 'live' } as const;
  // How one on its way out has ended can't be told any more: what is remembered of it counts.
  const isGone = desired.isDone && current?.state === 'removing';
  if (isGone || (current !== undefined && currentMatches && isCompleted(current)))
    return next === undefined
      ? []
      : [{ ...change, path: 'release.next', desired: 'absent', actual: next.state }];
  // Whatever it is at: a plan that was approved stays the same one until it is done.
  return [{ ...change, desired: 'completed', actual: 'not completed' }];
}
