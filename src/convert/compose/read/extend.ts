import { Unsayable } from '../../finding.ts';
import { isDict, list, pairs, text } from '../../read/scalars.ts';
import type { Dict } from '../../read/scalars.ts';

/** What a service takes over from another one: https://docs.docker.com/reference/compose-file/services/#extends */

/** Lists and maps of one and the same meaning. */
const maps = new Set(['environment', 'labels', 'sysctls', 'extra_hosts', 'build']);

/** Lists that are one value. */
const whole = new Set(['command', 'entrypoint', 'test']);

/** The services of `document`, each with what it extends. `open` reads another file's services. */
export function extended(services: Dict, open: (file: string) => Dict): Dict {
  return Object.fromEntries(
    Object.entries(services).map(([name, service]) => [
      name,
      withBase(serviceOf(service, name), services, open, [name]),
    ]),
  );
}

function serviceOf(service: unknown, name: string): Dict {
  if (isDict(service)) return service;
  throw new Unsayable(`services.${name}: must be a map`, 'refused');
}

function withBase(
  service: Dict,
  services: Dict,
  open: (file: string) => Dict,
  path: readonly string[],
): Dict {
  if (service['extends'] === undefined) return service;
  const { extends: extension, ...own } = service;
  const wish = isDict(extension) ? extension : { service: extension };
  const name = text(wish['service']);
  const file = wish['file'] === undefined ? undefined : text(wish['file']);
  const others = file === undefined ? services : open(file);
  const key = `${file ?? ''}:${name}`;
  const base = others[name];
  if (!isDict(base)) throw new Unsayable(`${path[0]} extends ${name}, which is not there`, 'refused');
  if (path.includes(key)) throw new Unsayable(`${path[0]} extends itself`, 'refused');
  return merged(withBase(base, others, open, [...path, key]), own);
}

function merged(base: Dict, own: Dict): Dict {
  const both = Object.entries(own).map(([key, value]) => [
    key,
    key in base ? mergedValue(key, base[key], value) : value,
  ]);
  return { ...base, ...Object.fromEntries(both) };
}

function mergedValue(key: string, base: unknown, own: unknown): unknown {
  if (own === null || whole.has(key)) return own ?? base;
  if (maps.has(key) && (Array.isArray(base) || Array.isArray(own)))
    return { ...Object.fromEntries(pairs(base)), ...Object.fromEntries(pairs(own)) };
  if (isDict(base) && isDict(own)) return merged(base, own);
  if (key === 'depends_on' || key === 'networks') return merged(asMap(base), asMap(own));
  return Array.isArray(base) || Array.isArray(own) ? [...list(base), ...list(own)] : own;
}

function asMap(value: unknown): Dict {
  return isDict(value) ? value : Object.fromEntries(list(value).map((name) => [text(name), null]));
}
