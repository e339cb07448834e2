import type { Effect } from '../../../../../api/status.ts';
import { worstEffect } from '../../../../permit.ts';
import type { Change, Observation } from '../../../../provider.ts';
import { oldName } from '../container-name.ts';
import type { DesiredContainer, DesiredTenant } from '../desired-tenant.ts';
import { observeContainer, withInspect } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { foreignDifferences } from './foreign-differences.ts';
import type { Foreign } from './foreign.ts';
import { asListed } from './foreign-inspect.ts';
import type { ForeignImage, ForeignInspect } from './foreign-inspect.ts';

/** A container that was not made by Landlord, in the place of the one that the spec has there. Pure. */

/** Which names are looked at. The second: once it was succeeded, which says so until it is gone; see container-name.ts. */
export function foreignNames(
  { foreignName, engineName }: DesiredContainer,
  { isOnlyObserved }: Pick<DesiredTenant, 'isOnlyObserved'>,
): readonly string[] {
  if (foreignName === undefined) return [];
  return isOnlyObserved ? [foreignName] : [foreignName, oldName(engineName)];
}

interface Found {
  readonly inspect: ForeignInspect;
  readonly image: ForeignImage | undefined;
}

/** Under the name that it stands for: all that is planned goes by that. Its labels say nothing of it. */
export function asForeign(
  desired: DesiredContainer,
  { isOnlyObserved }: Pick<DesiredTenant, 'isOnlyObserved'>,
  { inspect, image }: Found,
): ObservedContainer {
  const { foreignName = '', engineName, spec } = desired;
  const listed = observeContainer(asListed(inspect), { key: (mark) => mark });
  const observed = withInspect(listed, inspect);
  const isSucceeded = observed.name === oldName(engineName);
  const { inspected } = observed;
  return {
    ...observed,
    name: isSucceeded ? observed.name : engineName,
    // So that whatever takes its place takes over what it keeps in volumes of its image.
    made: { ...observed.made, container: spec.name },
    foreign: {
      name: foreignName,
      isAdopted: !isOnlyObserved,
      isFleeting: inspect.HostConfig.AutoRemove === true,
      differences: inspected === undefined ? [] : foreignDifferences(desired, { inspect, inspected, image }),
    },
  };
}

interface Standing {
  readonly desired: DesiredContainer;
  readonly foreign: Foreign;
  /** What it does to it to start its successor. */
  readonly effect: Effect;
}

/** A container's labels can't be changed, so what is taken over is replaced, and whoever speaks with it is cut off. */
export function foreignChanges({ desired, foreign, effect }: Standing, path: string): readonly Change[] {
  const { name, isAdopted, isFleeting, differences } = foreign;
  const worst = worstEffect([effect, effect === 'gap' && isFleeting ? 'outage' : 'gap']);
  const owner: Change = {
    path: `${path}.owner`,
    desired: `this Tenant, which replaces it by ${desired.engineName} and removes it`,
    actual: `nobody that Landlord knows, as ${name}`,
    cause: 'spec',
    effect: worst,
  };
  const rest = differences.map((one): Change => ({
    ...one,
    path: `${path}.${one.path}`,
    cause: 'spec',
    effect: worst,
  }));
  return isAdopted ? [owner, ...rest] : rest;
}

/** Nobody tells when it changes, in milliseconds. */
const foreignLookMs = 15_000;

/**
 * As its tenant is told of it. Its ids are left out, and its volumes: a status names what was seen to be the tenant's, and
 * that decides what is looked for later on.
 */
export function shownWithForeign(
  seen: Observation,
  foreign: readonly ObservedContainer[],
  own: Pick<Observation, 'data'>,
): Observation {
  if (foreign.length === 0) return seen;
  const { resourceIds = {}, ...compute } = seen.compute;
  const ids = new Set(foreign.map(({ id }) => id));
  const ownIds = Object.entries(resourceIds).filter(([key, id]) => key !== 'network' && !ids.has(id));
  const { data: _all, ...rest } = seen;
  return {
    ...rest,
    ...own,
    compute: { ...compute, ...(ownIds.length > 0 && { resourceIds: Object.fromEntries(ownIds) }) },
    lookAgainAfterMs: Math.min(seen.lookAgainAfterMs ?? foreignLookMs, foreignLookMs),
  };
}
