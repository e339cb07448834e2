import { scopeKey } from '../address/service-target.ts';
import type { ServiceTarget } from '../address/service-target.ts';

/** Services of one role and region together, with at most `most` of what `sizeOf` counts; one with more is alone. */
export function serviceGroups<T extends { readonly target: ServiceTarget }>(
  services: readonly T[],
  most: number,
  sizeOf: (service: T) => number,
): readonly (readonly [T, ...T[]])[] {
  return [...Map.groupBy(services, ({ target }) => scopeKey(target.scope)).values()].flatMap((of) => {
    const groups: [T, ...T[]][] = [];
    let size = 0;
    for (const one of of) {
      const last = groups.at(-1);
      size += sizeOf(one);
      if (last !== undefined && size <= most) {
        last.push(one);
        continue;
      }
      groups.push([one]);
      size = sizeOf(one);
    }
    return groups;
  });
}
