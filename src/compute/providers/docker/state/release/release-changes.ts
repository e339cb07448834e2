import type { Change } from '../../../../provider.ts';
import { isCompleted } from '../container-end.ts';
import type { ObservedContainer } from '../observed-container.ts';

interface Standing {
  readonly current: ObservedContainer | undefined;
  readonly next: ObservedContainer | undefined;
  readonly currentMatches: boolean;
}

/**
 * What there is to do about a release: to run it, or to wait for its end. It is no drift: what is gone of it and was done is
 * remembered, and what is not done is the spec's to ask for. Pure.
 */
export function releaseChanges({ current, next, currentMatches }: Standing): readonly Change[] {
  const change = { path: 'release', cause: 'spec', effect: 'live' } as const;
  if (current !== undefined && currentMatches && isCompleted(current))
    return next === undefined
      ? []
      : [{ ...change, path: 'release.next', desired: 'absent', actual: next.state }];
  const standing = currentMatches ? current : next;
  const others = current === undefined ? 'absent' : 'of another spec';
  return [{ ...change, desired: 'completed', actual: standing?.state ?? others }];
}
