import type { Ownership } from '../../../ownership.ts';
import type { ListedContainer } from './container-answers.ts';
import { partName, servingName, tenantName } from './container-name.ts';
import { observeContainer, readMade } from './observed-container.ts';
import type { ObservedContainer } from './observed-container.ts';

/**
 * Which containers are ours. Labels alone are no proof: `docker commit` copies them into an image, and with it into
 * whatever somebody runs from that. So a container is ours when it bears the labels and a name that goes with them.
 */
export function ownContainers(
  infos: readonly ListedContainer[],
  ownership: Ownership,
): readonly ObservedContainer[] {
  return infos
    .map((info) => observeContainer(info, ownership))
    .filter(({ name, labels }) => bearsOwnName(name, labels, ownership));
}

/** Whether the name is one that the container of these labels has, had or will have. */
export function bearsOwnName(
  name: string,
  labels: ObservedContainer['labels'],
  { key, prefix }: Pick<Ownership, 'key' | 'prefix'>,
): boolean {
  const { tenantId, container } = readMade(labels, key);
  if (tenantId === undefined) return false;
  const only = tenantName(prefix, tenantId);
  const serving = servingName(name);
  return serving === only || (container !== undefined && serving === partName(only, container));
}
