import type { Ownership } from '../../../../ownership.ts';
import type { TenantPlace } from '../../../../provider.ts';
import type { ServiceTarget } from '../../address/service-target.ts';
import { groupPrefixOf, placeMark } from '../../address/target-groups.ts';
import type { BalancingReads, SeenGroup, SeenRule } from '../../engine/balancing/balancing-api.ts';
import { tagKeys } from '../../state/marks/tags.ts';
import type { Tags } from '../../state/marks/tags.ts';

/** What there is of target groups and rules that were made for a service. */
export interface GroupsLook {
  /** Those that bear the marks of the tenant and its service. */
  readonly groups: readonly SeenGroup[];
  /** Those that are called as if they did. */
  readonly strangers: readonly SeenGroup[];
  /** All rules, by the ARNs of the listeners that these groups are for, and of those that were asked about. */
  readonly rules: ReadonlyMap<string, readonly SeenRule[] | 'missing'>;
}

export interface GroupsPlace {
  readonly target: ServiceTarget;
  readonly tenant: Pick<TenantPlace, 'namespace' | 'name'>;
  readonly ownership: Ownership;
}

export async function lookAtGroups(
  api: Pick<BalancingReads, 'targetGroups' | 'listenerRules'>,
  place: GroupsPlace,
  listeners: readonly string[],
  signal: AbortSignal,
): Promise<GroupsLook> {
  const { scope } = place.target;
  const named = await api.targetGroups(scope, groupPrefixOf(place.target), signal);
  const groups = named.filter(({ tags }) => isOfPlace(place, tags));
  const noted = groups.flatMap(({ tags }) => tags[tagKeys.listener] ?? []);
  const rules = new Map<string, readonly SeenRule[] | 'missing'>();
  for (const listener of new Set([...listeners, ...noted]))
    rules.set(listener, await api.listenerRules(scope, listener, signal));
  return { groups, strangers: named.filter((one) => !groups.includes(one)), rules };
}

/** Whether it was made for this service of the tenant, and not for another one that the tenant is moving from or to. */
export function isOfPlace({ target, tenant, ownership }: GroupsPlace, tags: Tags): boolean {
  return ownership.belongsTo(tenant, tags) && tags[tagKeys.place] === placeMark(target);
}

/** Rules that were made for the service. */
export function ownRules({ rules }: GroupsLook, place: GroupsPlace): readonly SeenRule[] {
  return [...rules.values()].flatMap((some) =>
    some === 'missing' ? [] : some.filter(({ tags }) => isOfPlace(place, tags)),
  );
}

/** By which what is made for the service is known again. */
export function placeTags(ownerTags: Tags, target: ServiceTarget): Tags {
  return { ...ownerTags, [tagKeys.place]: placeMark(target), [tagKeys.service]: target.service };
}
