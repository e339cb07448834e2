import { createHmac } from 'node:crypto';
import { SecretValue } from './secret-value.ts';

/**
 * A hash of `value`, whatever the order of its keys; undefined members count as absent. SecretValues take part with
 * their contents, so the hash is keyed: with `key` (the cluster's UID) being unknown to the readers of a status or
 * label, a weak secret can't be guessed from it.
 * `version` stands in front: a new operator that hashes differently must take a new one, and compare old hashes by the
 * old rules, so that an upgrade does not roll every tenant.
 */
export function specHash(version: string, key: string, value: unknown): string {
  const digest = createHmac('sha256', key).update(canonicalJson(value)).digest('hex').slice(0, 32);
  return `${version}:${digest}`;
}

function canonicalJson(value: unknown): string {
  if (value instanceof SecretValue) return JSON.stringify({ secret: value.reveal() });
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  let members = '';
  for (const name of Object.keys(value).toSorted()) {
    const member: unknown = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    if (members !== '') members += ',';
    members += `${JSON.stringify(name)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}
