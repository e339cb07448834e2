import { Unsayable, note } from '../finding.ts';
import type { Note } from '../finding.ts';
import { hostsIn } from '../names.ts';
import type { HostWord } from '../names.ts';
import { isDict, list, pairs } from '../read/scalars.ts';
import type { Dict } from '../read/scalars.ts';

/**
 * The names by which services call each other, where their containers are called otherwise: a name that is no DNS label, a
 * container_name, an alias. What names a host is made to name the container; what is only spelt alike stays.
 */

interface Named {
  readonly services: ReadonlyMap<string, Dict>;
  readonly notes: readonly Note[];
}

type Names = ReadonlyMap<string, string>;

/** `containers`: names of containers by those of services. */
export function withContainerNames(services: ReadonlyMap<string, Dict>, containers: Names): Named {
  const names = otherNames(services, containers);
  const notes: Note[] = [];
  const renamed = [...services].map(([service, keys]): [string, Dict] => {
    const own = new Map([...names, ...linkNames(keys, containers)]);
    const said = Object.entries(keys).map(([key, value]) => {
      if (own.size === 0 || !spoken.has(key) || value === null) return [key, value];
      const now = unlessUnsayable(value, () => renamedIn(value, own, key));
      if (hasOther(value, now))
        notes.push(note('changed', `services.${service}.${key}`, 'hosts are named as their containers are'));
      return [key, now];
    });
    return [service, Object.fromEntries(said) as Dict];
  });
  return { services: new Map(renamed), notes };
}

/** What is wrong with a key is for its row to say. */
function unlessUnsayable(otherwise: unknown, read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unsayable) return otherwise;
    throw error;
  }
}

function hasOther(before: unknown, now: unknown): boolean {
  const textOf = (value: unknown): string => JSON.stringify(isDict(value) ? value : list(value));
  return (
    textOf(Array.isArray(before) && isDict(now) ? Object.fromEntries(pairs(before)) : before) !== textOf(now)
  );
}

/** Keys whose values may name another container. */
const spoken = new Set(['environment', 'command', 'entrypoint', 'healthcheck']);

function otherNames(services: ReadonlyMap<string, Dict>, containers: Names): Names {
  const all = [...services].flatMap(([service, keys]) => {
    const container = containers.get(service) ?? service;
    const { container_name: own } = keys;
    const others = [service, typeof own === 'string' ? own : '', ...aliasesOf(keys)];
    return others
      .filter((name) => name !== '' && name !== container)
      .map((name) => [name, container] as const);
  });
  const taken = new Set(containers.values());
  return new Map(all.filter(([name]) => !taken.has(name)));
}

function aliasesOf({ networks }: Dict): readonly string[] {
  return isDict(networks)
    ? Object.values(networks).flatMap((how) => list(isDict(how) ? how['aliases'] : undefined).map(String))
    : [];
}

/** `SERVICE:ALIAS`, which only the service knows that says it. */
function linkNames({ links }: Dict, containers: Names): readonly (readonly [string, string])[] {
  return list(links).flatMap((link) => {
    const [service = '', alias = service] = String(link).split(':');
    const container = containers.get(service);
    return container === undefined || alias === container ? [] : [[alias, container] as const];
  });
}

function renamedIn(value: unknown, names: Names, key: string): unknown {
  if (key === 'healthcheck')
    return isDict(value) && 'test' in value
      ? { ...value, test: renamedIn(value['test'], names, 'command') }
      : value;
  if (key === 'environment')
    return Object.fromEntries(
      pairs(value).map(([name, word]) => [name, word && inWord(word, names, hostVariable.test(name))]),
    );
  if (Array.isArray(value))
    return value.map((word, index) =>
      typeof word === 'string' ? inWord(word, names, isHostOption(String(value[index - 1] ?? ''))) : word,
    );
  return typeof value === 'string' ? inWord(value, names, false) : value;
}

const hostVariable = /HOST|SERVER|ADDR|NODE|ENDPOINT|BROKER|PEER|MASTER|UPSTREAM|UR[IL]|DSN/i;
const hostOption = /host|server|addr/i;

/** `isHost`: by where the word stands, it is one, or a list of them. */
function inWord(word: string, names: Names, isHost: boolean): string {
  return hostsIn(word).reduceRight((done, found) => {
    const container = names.get(found.word);
    const isNamed = container !== undefined && (isAddress(found) || (isHost && isItem(found)));
    return isNamed
      ? done.slice(0, found.start) + container + done.slice(found.start + found.word.length)
      : done;
  }, word);
}

/** Behind `//` and `@`, before a port, and behind an option for a host. */
function isAddress({ before, after }: HostWord): boolean {
  // What stands before an `@` is who, not where.
  if (before.endsWith('//')) return !/^[^\s/@]*@/.test(after);
  if (before.endsWith('@') || /(host|server|addr|source)=$/i.test(before)) return true;
  if (/^:[0-9]/.test(after)) return !before.endsWith('/');
  const option = before.split(/\s/).findLast((word) => word !== '') ?? '';
  return /[\s=]$/.test(before) && isHostOption(option.replace('=', ''));
}

function isHostOption(word: string): boolean {
  return word === '-h' || (word.startsWith('--') && hostOption.test(word));
}

function isItem({ before, after }: HostWord): boolean {
  return /(^|[,;\s])$/.test(before) && /^($|[,;\s])/.test(after);
}
