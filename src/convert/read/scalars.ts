import { Unsayable } from '../finding.ts';

/** Values of a compose file, in which every scalar is text: what it stands for depends on its key. */

export type Dict = Readonly<Record<string, unknown>>;

export function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function dict(value: unknown): Dict {
  if (value === undefined || value === null || value === '') return {};
  if (isDict(value)) return value;
  throw new Unsayable('must be a map');
}

/** A list; one value stands for a list of it. */
export function list(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Unsayable('must be one value');
}

/** As a text that names it, whatever it is: not each object can be one. */
export function named(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** Not a number where it is none. */
export function amount(value: unknown): number {
  return typeof value === 'object' && value !== null ? Number.NaN : Number(value);
}

/** What a table has of `key`: not what all objects have. */
export function entryOf<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The word of a key; none is empty. */
export function wordOf(keys: Dict, key: string): string {
  const value = keys[key] ?? '';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : text(value);
}

export function texts(value: unknown): string[] {
  return list(value).map(text);
}

const yes = /^(true|yes|on|y)$/i;
const no = /^(false|no|off|n)?$/i;

export function bool(value: unknown): boolean {
  const word = text(value ?? '');
  if (yes.test(word)) return true;
  if (no.test(word)) return false;
  throw new Unsayable(`must be true or false, not "${word}"`);
}

export function number(value: unknown): number {
  const word = text(value).trim();
  const amount = Number(word);
  if (word === '' || !Number.isFinite(amount)) throw new Unsayable(`must be a number, not "${word}"`);
  return amount;
}

const secondsOf: Readonly<Record<string, number>> = {
  us: 1e-6,
  µs: 1e-6,
  ns: 1e-9,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
};
const wholeDuration = /^(?:[0-9.]+(?:us|µs|ns|ms|s|m|h|d))+$/;

/** `1m30s` in seconds. */
export function seconds(value: unknown): number {
  const word = text(value).trim();
  if (/^0+$/.test(word)) return 0;
  if (!wholeDuration.test(word)) throw new Unsayable(`must be a duration such as 1m30s, not "${word}"`);
  const parts = word.match(/[0-9.]+|[a-zµ]+/g) ?? [];
  const total = parts.reduce((sum, part, index) => {
    const unit = parts[index + 1] ?? '';
    return index % 2 === 0 ? sum + Number(part) * (secondsOf[unit] ?? 0) : sum;
  }, 0);
  return Number(total.toFixed(3));
}

const size = /^([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?$/i;
const kubeUnit: Readonly<Record<string, string>> = { '': '', k: 'Ki', m: 'Mi', g: 'Gi', t: 'Ti' };

/** `512m` as a Kubernetes quantity: compose's units are powers of two. */
export function bytes(value: unknown): string {
  const word = text(value).trim();
  const [, amount, unit = ''] = size.exec(word) ?? [];
  if (amount === undefined) throw new Unsayable(`must be a size such as 512m, not "${word}"`);
  return `${amount}${kubeUnit[unit.toLowerCase()] ?? ''}`;
}

/** `[A=1, B]` or `{A: 1, B:}`; null where there is no value. */
export function pairs(value: unknown): readonly (readonly [name: string, value: string | null])[] {
  if (Array.isArray(value)) {
    return texts(value).map((pair) => {
      const at = pair.indexOf('=');
      return at === -1 ? [pair, null] : [pair.slice(0, at), pair.slice(at + 1)];
    });
  }
  return Object.entries(dict(value)).map(([name, one]) => [name, one === null ? null : text(one)]);
}
