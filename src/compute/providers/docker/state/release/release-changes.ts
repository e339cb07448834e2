import type { Change } from '../../../../provider.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { isCompleted } from '../container-end.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { isReleaseName } from './release-mark.ts';

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
export function releaseChanges(
  { desired, current, next, currentMatches }: Standing,
  begins: boolean,
): readonly Change[] {
  const change = { path: 'release', cause: 'spec', effect: 'live', ...(begins && { begins }) } as const;
  // How one on its way out has ended can't be told any more: what is remembered of it counts.
  const isGone = desired.isDone && current?.state === 'removing';
  if (isGone || (current !== undefined && currentMatches && isCompleted(current)))
    return next === undefined
      ? []
      : [{ ...change, path: 'release.next', desired: 'absent', actual: next.state }];
  // Whatever it is at: a plan that was approved stays the same one until it is done.
  return [{ ...change, desired: 'completed', actual: 'not completed' }];
}

/** Whether what a release comes before was made from this desired state and has never run. */
export function isBeginning(
  containers: readonly (Omit<Standing, 'desired'> & {
    readonly desired: { readonly release?: unknown; readonly spec: ContainerSpec };
  })[],
): boolean {
  return (
    containers.every(({ current, currentMatches }) => current === undefined || currentMatches) &&
    containers.some(
      ({ desired, current }) =>
        (desired.spec.dependsOn ?? []).some(({ container }) => isReleaseName(container)) &&
        (current === undefined || current.state === 'created'),
    )
  );
}
