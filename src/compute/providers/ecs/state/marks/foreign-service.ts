import type { Change, Observation, TenantPlace } from '../../../../provider.ts';
import type { DesiredService } from '../desired.ts';
import { tagPrefix } from './tags.ts';

/** A service of the right name that was not made by Landlord, and that may be shown or taken over all the same. Pure. */

const ownMark = `tags.${tagPrefix}`;

/** Our own marks are no part of what a spec says. */
export function withoutMarks(changes: readonly Change[]): readonly Change[] {
  return changes.filter(({ path }) => !path.startsWith(ownMark));
}

/** To take it over is to tag it: nothing restarts for that. What else differs follows once it is the tenant's. */
export function withAdoption(
  changes: readonly Change[],
  { namespace, name }: Pick<TenantPlace, 'namespace' | 'name'>,
): readonly Change[] {
  const adoption: Change = {
    path: 'owner',
    desired: `the Tenant ${name} in ${namespace}, with whose deletion it goes`,
    actual: 'nobody that Landlord knows',
    cause: 'spec',
    effect: 'live',
  };
  return [adoption, ...withoutMarks(changes)];
}

/**
 * As its tenant is told of it. Its ids are left out: a status names what was seen to be the tenant's, and that decides
 * what a deletion looks for.
 */
export function shownAsForeign<O extends Observation>(seen: O, desired: DesiredService): O {
  const { resourceIds: _ids, ...compute } = seen.compute;
  const { changes } = seen;
  const told = desired.foreign === 'adopt' ? withAdoption(changes, desired) : withoutMarks(changes);
  return { ...seen, compute, changes: told };
}
