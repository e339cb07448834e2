import { ComputeError } from '../../compute/errors.ts';
import { registryKey } from '../../compute/spec/registry-scope.ts';
import { SecretValue } from '../../compute/spec/secret-value.ts';
import type { RegistryCredential } from '../../compute/spec/tenant-compute-spec.ts';
import { namedReads } from './named-reads.ts';
import type { SecretReads, SecretVersions } from './source.ts';

/** Reads one tenant's Secrets, each at most once per pass. Only ever from the tenant's own namespace. */
export interface SecretReader {
  /** Rejects with ComputeError SecretNotFound, naming Secret and key. */
  value(name: string, key: string): Promise<SecretValue>;
  /** All of them, by their keys. Rejects with ComputeError SecretNotFound. */
  values(name: string): Promise<ReadonlyMap<string, SecretValue>>;
  /** The same, in base64. */
  files(name: string): Promise<ReadonlyMap<string, SecretValue>>;
  /** Rejects with ComputeError SecretNotFound, or InvalidSpec where the Secret is of another type. */
  registryCredentials(name: string): Promise<RegistryCredential[]>;
}

export interface NotingSecretReader extends SecretReader {
  /** Those that were read so far. */
  versions(): SecretVersions;
}

export function createSecretReader(
  reads: SecretReads,
  namespace: string,
  signal: AbortSignal,
): NotingSecretReader {
  const named = namedReads({ reads, kind: 'Secret', missing: 'SecretNotFound', namespace }, signal);
  const versions = new Map<string, string>();
  const secretOf: typeof named = async (name) => {
    const secret = await named(name);
    versions.set(name, secret.metadata.resourceVersion);
    return secret;
  };

  return {
    versions: () => [...versions].map(([name, resourceVersion]) => ({ name, resourceVersion })),
    async value(name, key) {
      const encoded = (await secretOf(name)).data?.[key];
      if (encoded === undefined) {
        throw new ComputeError(
          'SecretNotFound',
          `Secret ${name} in namespace ${namespace} has no key ${key}; add it`,
        );
      }
      return decoded(encoded);
    },
    async values(name) {
      const { data = {} } = await secretOf(name);
      return new Map(Object.entries(data).map(([key, encoded]) => [key, decoded(encoded)]));
    },
    async files(name) {
      const { data = {} } = await secretOf(name);
      return new Map(Object.entries(data).map(([key, encoded]) => [key, new SecretValue(encoded)]));
    },
    async registryCredentials(name) {
      const { type, data } = await secretOf(name);
      const encoded = data?.['.dockerconfigjson'];
      if (type !== 'kubernetes.io/dockerconfigjson' || encoded === undefined) {
        throw new ComputeError(
          'InvalidSpec',
          `spec.imagePullSecrets: Secret ${name} is of type ${type ?? 'Opaque'}, must be kubernetes.io/dockerconfigjson`,
        );
      }
      return parseDockerConfig(Buffer.from(encoded, 'base64').toString('utf8'), name);
    },
  };
}

function decoded(encoded: string): SecretValue {
  return new SecretValue(Buffer.from(encoded, 'base64').toString('utf8'));
}

interface Entry extends PlainCredential {
  readonly auth?: string;
  readonly identitytoken?: string;
}

interface DockerConfig {
  readonly auths?: Record<string, Entry>;
}

function parseDockerConfig(json: string, secretName: string): RegistryCredential[] {
  let config: DockerConfig;
  try {
    config = JSON.parse(json) as DockerConfig;
  } catch {
    // The parser's message would quote the secret.
    throw new ComputeError('InvalidSpec', `spec.imagePullSecrets: Secret ${secretName} holds no valid JSON`);
  }
  return Object.entries(config.auths ?? {}).flatMap(([server, entry]) => {
    const { username, password } = credentialOf(entry);
    const { identitytoken } = entry;
    const whose = { registry: registryKey(server), secret: secretName };
    // Before user and password, as docker has it.
    if (identitytoken !== undefined && identitytoken !== '')
      return [{ ...whose, username: '', password: new SecretValue(identitytoken), isToken: true }];
    if (username === undefined || password === undefined) return [];
    return [{ ...whose, username, password: new SecretValue(password) }];
  });
}

interface PlainCredential {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

function credentialOf({ username, password, auth }: Entry): PlainCredential {
  if (auth === undefined) return { username, password };
  const pair = Buffer.from(auth, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? {} : { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}
