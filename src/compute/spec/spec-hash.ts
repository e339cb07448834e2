import { createHmac } from 'node:crypto';
import { SecretValue, UnreadSecret } from './secret-value.ts';

/**
 * A hash of `value`, whatever the order of its keys; undefined members count as absent. That there is a SecretValue takes
 * part, and not what it is: that is for `sealedHash`.
 * `version` stands in front: a new operator that hashes differently must take a new one, and compare old hashes by the
 * old rules, so that an upgrade does not roll every tenant. `key` tells clusters apart, and is no secret.
 */
export function specHash(version: string, key: string, value: unknown): string {
  return `${version}:${digest(
    key,
    canonicalJson(value, () => 'null'),
  )}`;
}

/** As version 1 was: with the contents of SecretValues, which who knows `key` could try out. No status may show one. */
export function formerSpecHash(key: string, value: unknown): string {
  return `${formerPrefix}${digest(key, canonicalJson(value, revealed))}`;
}

const formerPrefix = 'v1:';

export function isFormer(hash: string): boolean {
  return hash.startsWith(formerPrefix);
}

/** A random key of the installation, which nobody but the operator knows. */
export class HashKey {
  /** Tells one key from another, and nothing of it. */
  readonly id: string;
  readonly #key: Uint8Array;

  /** `key`: 32 random bytes. */
  constructor(key: Uint8Array) {
    this.#key = key;
    this.id = digest(key, 'id').slice(0, 8);
  }

  /** Proof of `text` that only who has the key can make, or try. */
  seal(text: string): string {
    return digest(this.#key, text);
  }
}

export interface Sealing {
  readonly version: string;
  /** UID of the cluster. */
  readonly cluster: string;
  readonly key: HashKey;
  /** Whose it is: nobody finds out by a Tenant of their own what another one's secrets are. */
  readonly subject: readonly string[];
}

/**
 * Like `specHash`; where secrets take part, `.KEY.SEAL` follows: the id of the key, and what only who has it can try out.
 * So what all may compare is apart from what is lost with the key; see `isSameHash`.
 * Where secrets were not read, the seal is that of `remembered`, the hash of before, if all else is as it was; else there is none.
 */
export function sealedHash(
  { version, cluster, key, subject }: Sealing,
  value: unknown,
  remembered?: string,
): string {
  const open = specHash(version, cluster, value);
  if (!holds(value, SecretValue)) return open;
  if (holds(value, UnreadSecret)) {
    const before = takenApart(remembered ?? '');
    return remembered !== undefined && before.open === open && before.keyId === key.id ? remembered : open;
  }
  return `${open}.${key.id}.${key.seal(canonicalJson([subject, open, value], revealed))}`;
}

/** The hash of a whole, by the hashes of its parts. */
export function combinedHash(
  { version, cluster, key }: Omit<Sealing, 'subject'>,
  parts: readonly { readonly hash: string; readonly more: unknown }[],
): string {
  const taken = parts.map(({ hash, more }) => ({ ...takenApart(hash), more }));
  const open = specHash(
    version,
    cluster,
    taken.map((part) => [part.open, part.more]),
  );
  const seals = taken.map(({ seal = '' }) => seal);
  return seals.every((seal) => seal === '') ? open : `${open}.${key.id}.${key.seal(seals.join('.'))}`;
}

interface Parts {
  readonly open: string;
  readonly keyId: string | undefined;
  readonly seal: string | undefined;
}

function takenApart(hash: string): Parts {
  const [open = '', keyId, seal] = hash.split('.');
  return { open, keyId, seal };
}

/** Whether secrets take part in it. */
export function isSealed(hash: string): boolean {
  return takenApart(hash).seal !== undefined;
}

/** Whether they were made of the same; `unless-secrets-differ`: by another key, so that of the secrets nobody can tell. */
export function compareHashes(a: string, b: string): 'same' | 'unless-secrets-differ' | 'different' {
  if (a === b) return 'same';
  const [one, other] = [takenApart(a), takenApart(b)];
  const isOfOtherKey = one.keyId !== undefined && other.keyId !== undefined && one.keyId !== other.keyId;
  return one.open === other.open && isOfOtherKey ? 'unless-secrets-differ' : 'different';
}

/** What is remembered by a hash stays so where the key was lost: nothing may roll, or be tried again, for that. */
export function isSameHash(a: string, b: string): boolean {
  return compareHashes(a, b) !== 'different';
}

/** What a status may show of a hash that an earlier version made: who has the key knows it again. */
export function veiled(hash: string, key: HashKey): string {
  return isFormer(hash) ? `k1:${key.seal(hash)}` : hash;
}

function digest(key: string | Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex').slice(0, 32);
}

function holds(value: unknown, kind: typeof SecretValue | typeof UnreadSecret): boolean {
  if (value instanceof SecretValue) return value instanceof kind;
  return typeof value === 'object' && value !== null && Object.values(value).some((one) => holds(one, kind));
}

function revealed(secret: SecretValue): string {
  return JSON.stringify(secret.reveal());
}

function canonicalJson(value: unknown, secret: (value: SecretValue) => string): string {
  if (value instanceof SecretValue) return `{"secret":${secret(value)}}`;
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, secret)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  let members = '';
  for (const name of Object.keys(value).toSorted()) {
    const member: unknown = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    if (members !== '') members += ',';
    members += `${JSON.stringify(name)}:${canonicalJson(member, secret)}`;
  }
  return `{${members}}`;
}
