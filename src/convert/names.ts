import { createHash } from 'node:crypto';
import { dnsLabelPattern, longestDnsLabel as longest } from '../api/bounded.ts';
import { isDict } from './read/scalars.ts';
import type { Dict } from './read/scalars.ts';

export function isDnsLabel(name: string): boolean {
  return name.length <= longest && dnsLabelPattern.test(name);
}

/** `name` in the letters of a DNS label; one that had other letters may be like another's. */
export function dnsLabelOf(name: string, length = longest): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const joined = words.join('-').slice(0, length);
  const letters = joined.endsWith('-') ? joined.slice(0, -1) : joined;
  return letters === '' ? `x-${createHash('sha256').update(name).digest('hex').slice(0, 8)}` : letters;
}

/** A DNS label for each key, by the name that it would have; one that is taken gets a number. */
export function dnsLabels(wishes: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  // Who keeps its own name goes before those that come to it.
  const inOrder = [...wishes].toSorted(
    ([, one], [, other]) => Number(isDnsLabel(other)) - Number(isDnsLabel(one)),
  );
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const [key, wish] of inOrder) {
    const label = dnsLabelOf(wish);
    let name = label;
    for (let count = 2; taken.has(name); count++) name = `${label.slice(0, longest - 4)}-${count}`;
    taken.add(name);
    names.set(key, name);
  }
  return names;
}

/** What a service's container is called: as the service, or as the others call it where that is its container_name. */
export function containerNames(services: ReadonlyMap<string, Dict>): ReadonlyMap<string, string> {
  return dnsLabels(
    new Map([...services].map(([service, keys]) => [service, wished(service, keys, services)])),
  );
}

function wished(service: string, keys: Dict, services: ReadonlyMap<string, Dict>): string {
  const other = keys['container_name'];
  if (typeof other !== 'string' || other === service || services.has(other) || !isDnsLabel(other))
    return service;
  return isSpokenOf(other, service, services) && !isSpokenOf(service, service, services) ? other : service;
}

/** Whether another service than `service` has `name` in what it is given, as a host is named. */
export function isSpokenOf(name: string, service: string, services: ReadonlyMap<string, Dict>): boolean {
  return [...services].some(
    ([one, keys]) =>
      one !== service &&
      spoken.some((key) =>
        textsIn(keys[key]).some((value) => hostsIn(value).some(({ word }) => word === name)),
      ),
  );
}

/** A word of a text that stands as the name of a host may, and what is around it. */
export interface HostWord {
  readonly word: string;
  readonly start: number;
  readonly before: string;
  readonly after: string;
}

const bound = { before: new Set('@/,; \t\n"\'=(['), after: new Set(':/?,; \t\n"\')]') };

export function hostsIn(text: string): readonly HostWord[] {
  return [...text.matchAll(/[A-Za-z0-9_][A-Za-z0-9_.-]*/g)]
    .map(({ 0: word, index }) => ({
      word,
      start: index,
      before: text.slice(0, index),
      after: text.slice(index + word.length),
    }))
    .filter(({ before, after }) => isIn(before.at(-1), bound.before) && isIn(after[0], bound.after));
}

function isIn(sign: string | undefined, signs: ReadonlySet<string>): boolean {
  return sign === undefined || signs.has(sign);
}

/** Keys whose values may name another container. */
const spoken = ['environment', 'command', 'entrypoint', 'healthcheck', 'labels'];

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isDict(value) ? Object.values(value).flatMap(textsIn) : [];
}
