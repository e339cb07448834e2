import { statusBounds } from '../../api/status.ts';
import type { TenantStatus } from '../../api/status.ts';
import type { TenantSpec } from '../../api/tenant.ts';
import { UnreadSecret } from '../../compute/spec/secret-value.ts';
import type { Desired } from '../../compute/provider.ts';
import type { SecretReader } from './secret-reader.ts';
import type { SecretVersions } from './source.ts';

/** What the values of a Tenant's Secrets came to, so that those that stay as they are need not be read again. Pure. */

export type RememberedSecrets = NonNullable<TenantStatus['secrets']>;

/** Undefined: none was read, the provider does not tell what they came to, or a status has no room for as many. */
export function rememberedSecrets(
  { sealed }: Pick<Desired, 'sealed'>,
  versions: SecretVersions,
): RememberedSecrets | undefined {
  if (sealed === undefined || versions.length === 0) return undefined;
  const hashes = Object.entries(sealed).map(([container, specHash]) => ({ container, specHash }));
  const isTooMuch = hashes.length > statusBounds.containers || versions.length > statusBounds.secrets;
  if (isTooMuch) return undefined;
  return { versions: versions.toSorted((a, b) => (a.name < b.name ? -1 : 1)), hashes };
}

/** Whether these, and no others, have the versions that are remembered. */
export function isUnchanged(
  { versions }: RememberedSecrets,
  names: readonly string[],
  versionOf: (name: string) => string | undefined,
): boolean {
  const named = new Set(names);
  return (
    named.size === versions.length &&
    versions.every(({ name, resourceVersion }) => named.has(name) && versionOf(name) === resourceVersion)
  );
}

/** Whether all that it has of Secrets are keys that it names: of a whole Secret, who has not read it knows not even these. */
export function namesEachKey({ containers = [], volumes = [] }: TenantSpec): boolean {
  const envFrom = containers.flatMap((container) => container.envFrom ?? []);
  return (
    envFrom.every(({ secretRef }) => secretRef === undefined) &&
    volumes.every(({ secret }) => secret === undefined)
  );
}

/** Reads nothing. To be asked for no whole Secret. */
export const unreadSecrets: SecretReader = {
  value: async () => new UnreadSecret(),
  values: async () => refuse(),
  files: async () => refuse(),
  // For a pull alone, of which the hash knows nothing.
  registryCredentials: async () => [],
};

function refuse(): never {
  throw new Error('a whole Secret is needed, and was not read');
}
