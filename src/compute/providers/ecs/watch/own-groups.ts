import { sharedRun } from '../../../../async/shared-run.ts';
import { groupPrefix, groupPrefixOf } from '../address/target-groups.ts';
import { scopeKey } from '../address/service-target.ts';
import type { EcsScope, ServiceTarget } from '../address/service-target.ts';
import type { EcsReads } from '../engine/ecs-api.ts';

/**
 * For which services there may be target groups, where no service is there to say so: an operator may have died between the two.
 * All names are asked for once, by the first who needs to know; from then on it is this process that makes and removes them.
 */
export interface OwnGroups {
  /** Whether the operator's config lets anybody have some. */
  readonly isUsed: boolean;
  /** Never rejects: where it can't be told, it is for the list of what is owned to tell. Calls nothing where nobody may have any. */
  mayBeAt(target: ServiceTarget, signal: AbortSignal): Promise<boolean>;
  noteMade(target: ServiceTarget): void;
  noteGone(target: ServiceTarget): void;
}

export function createOwnGroups(api: Pick<EcsReads, 'targetGroups'>, isUsed: boolean): OwnGroups {
  const places = new Map<string, Place>();
  const placeOf = (scope: EcsScope): Place => {
    const known = places.get(scopeKey(scope));
    if (known !== undefined) return known;
    const prefixes = new Set<string>();
    const place: Place = { prefixes, isListed: false, list: sharedRun(() => list(scope, prefixes)) };
    places.set(scopeKey(scope), place);
    return place;
  };
  const list = async (scope: EcsScope, prefixes: Set<string>): Promise<void> => {
    const { signal } = new AbortController();
    for (const { name } of await api.targetGroups(scope, groupPrefix, signal))
      prefixes.add(name.slice(0, prefixLength));
  };
  return {
    isUsed,
    async mayBeAt(target, signal) {
      const place = placeOf(target.scope);
      if (isUsed && !place.isListed) {
        try {
          await place.list(signal);
          place.isListed = true;
        } catch {
          signal.throwIfAborted();
        }
      }
      return place.prefixes.has(groupPrefixOf(target));
    },
    noteMade: (target) => void placeOf(target.scope).prefixes.add(groupPrefixOf(target)),
    noteGone: (target) => void placeOf(target.scope).prefixes.delete(groupPrefixOf(target)),
  };
}

/** Of one role in one region. */
interface Place {
  /** What the names of groups begin with that there may be. */
  readonly prefixes: Set<string>;
  readonly list: (signal: AbortSignal) => Promise<void>;
  isListed: boolean;
}

const prefixLength = groupPrefixOf({ cluster: '', service: '' }).length;
