import { amount, isDict } from '../../convert/read/scalars.ts';
import type { Dict } from '../../convert/read/scalars.ts';

/** Values of an engine's answers, and what a compose file would have in their place. */

/** What is below `key`; none where that is nothing, or no map. */
export function within(of: Dict | undefined, key: string): Dict {
  const value = of?.[key];
  return isDict(value) ? value : {};
}

export function dicts(value: unknown): readonly Dict[] {
  return Array.isArray(value) ? value.filter(isDict) : [];
}

export function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

export function word(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function networkModeOf(shown: Dict): string {
  return word(within(shown, 'HostConfig')['NetworkMode']);
}

/** What compose notes of a container that it has made; empty where it has not. */
export function composeLabel({ shown }: { readonly shown: Dict }, name: string): string {
  return word(within(within(shown, 'Config'), 'Labels')[`com.docker.compose.${name}`]);
}

/** How an engine shows what nobody has set. */
export function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  return Array.isArray(value) ? value.length === 0 : isDict(value) && Object.keys(value).length === 0;
}

export function isSame(one: unknown, other: unknown): boolean {
  return (isUnset(one) && isUnset(other)) || JSON.stringify(one) === JSON.stringify(other);
}

/** Each scalar as a text, as compose files have them here. */
export function texted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(texted);
  if (isDict(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, texted(one)]));
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

const units = ['', 'k', 'm', 'g'] as const;

/** Bytes as compose has them: `512m`. */
export function sizeOf(bytes: number): string {
  const powers = units.map((_unit, power) => power).filter((power) => bytes % 1024 ** power === 0);
  const power = powers.at(-1) ?? 0;
  return `${bytes / 1024 ** power}${units[power] ?? ''}`;
}

/** Nanoseconds as compose has them: `2.5s`. */
export function secondsOf(nanoseconds: unknown): string {
  return `${amount(nanoseconds ?? 0) / 1e9}s`;
}
