import { isDropped, isNext } from '../container-name.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import { excludes } from '../exclusion.ts';
import { cutOffWith } from '../network/joined-containers.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import type { TenantComparison } from './comparison.ts';
import type { Step } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/**
 * A spec that is taken back after successors of other names were put in place, and before what they succeed was marked as old:
 * what is desired again stands still, by no fault of its own, and they have what it needs. Pure.
 */

export interface Resumption {
  readonly desired: DesiredContainer;
  /** It was stopped to make room, or would be started anyway. */
  readonly current: ObservedContainer;
  /** What can't run beside it, and is in no spec any more. */
  readonly inTheWay: readonly ObservedContainer[];
}

export function resumptionsOf({ containers, obsolete }: TenantComparison): readonly Resumption[] {
  const inPlace = obsolete.filter(
    ({ name, state }) => !isNext(name) && !isDropped(name) && state !== 'created',
  );
  return containers.flatMap(({ desired, current, currentMatches, repair }) => {
    if (!currentMatches || current?.state !== 'exited') return [];
    const inTheWay = inPlace.filter((one) => excludes(desired, one));
    const endedMs = current.inspected?.finishedMs ?? 0;
    const madeRoom = inTheWay.some(({ inspected }) => endedMs >= (inspected?.createdMs ?? Infinity));
    const isToRun = repair === 'start' || madeRoom;
    return inTheWay.length > 0 && isToRun ? [{ desired, current, inTheWay }] : [];
  });
}

/** They stay until it runs: that they are there tells that it was stopped on purpose. */
export function planResumption(
  comparison: TenantComparison,
  { failed }: Pick<SuccessorContext, 'failed'>,
): Step | undefined {
  const resumptions = resumptionsOf(comparison).filter(({ current }) => !failed.has(current.id));
  if (resumptions.length === 0) return undefined;
  const up = comparison.obsolete.filter(isUp);
  const inTheWay = up.filter((one) => resumptions.some((resumption) => resumption.inTheWay.includes(one)));
  if (inTheWay.length > 0) {
    const containers = [...new Set([...cutOffWith(inTheWay, up), ...inTheWay])];
    return { do: 'stop', containers, effect: 'gap' };
  }
  return { do: 'start', containers: resumptions.map(({ current }) => current), what: 'old' };
}
