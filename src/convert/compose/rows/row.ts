import { item, note, placed } from '../../finding.ts';
import type { Finding, Note, Placed, Step } from '../../finding.ts';
import type { Project, Spot } from '../project.ts';

/** What one key of a service says in a Tenant. */
export type Row = (value: unknown, spot: Spot) => readonly Finding[];

export function ofContainer(spot: Spot, steps: readonly Step[], value: unknown, below = ''): Placed {
  return placed(['containers', item(spot.container), ...steps], value, spot.from + below);
}

/** Keys that the block of Docker has for all containers together. */
const ofAll = new Set(['network_mode', 'labels', 'volumes']);

/** What only Docker has, of one container; where it is the only one, in the words for all. */
export function ofDocker(
  spot: Spot,
  [key, ...steps]: readonly [string, ...Step[]],
  value: unknown,
  below = '',
): Placed {
  const isForAll = spot.project.services.size === 1 && ofAll.has(key);
  const at = isForAll ? [key] : ['containers', spot.container, key];
  return placed(['computeConfig', 'docker', ...at, ...steps], value, spot.from + below);
}

/** A field that is a value of the container's. */
export function field(name: string, read: (value: unknown) => unknown): Row {
  return (value, spot) => [ofContainer(spot, [name], read(value))];
}

/** The service whose network another one is in, be it by the name of its container; undefined: none of the file that runs. */
export function siblingJoined(mode: unknown, { services }: Pick<Project, 'services'>): string | undefined {
  const [kind = '', other = ''] = typeof mode === 'string' ? mode.split(':') : [];
  if (kind !== 'service' && kind !== 'container') return undefined;
  if (kind === 'service') return services.has(other) ? other : undefined;
  return [...services].find(([name, keys]) => (keys['container_name'] ?? name) === other)?.[0];
}

/** What the operator's policy must have before it runs. */
export function needsPolicy(spot: Spot, rule: string, value = 'true'): Note {
  return note('needs', spot.from, `policy.docker.${rule}: ${value}`);
}
