import { ComputeError } from '../../compute/errors.ts';
import { registryKey } from '../../compute/spec/registry-scope.ts';
import { SecretValue } from '../../compute/spec/secret-value.ts';
import type { RegistryCredential } from '../../compute/spec/tenant-compute-spec.ts';
import { isApiError } from '../../kube/client/kube-api-error.ts';
import type { KubeObject } from '../../kube/client/kube-object.ts';
import type { Resource } from '../../kube/client/resource.ts';

/** A Secret as the apiserver serves it: values in base64. */
export interface SecretObject extends KubeObject {
  readonly type?: string;
  readonly data?: Record<string, string>;
}

export type SecretReads = Pick<Resource<SecretObject>, 'get'>;

/** Reads one tenant's Secrets, each at most once per pass. Only ever from the tenant's own namespace. */
export interface SecretReader {
  /** Rejects with ComputeError SecretNotFound, naming Secret and key. */
  value(name: string, key: string): Promise<SecretValue>;
  /** Rejects with ComputeError SecretNotFound, or InvalidSpec where the Secret is of another type. */
  registryCredentials(name: string): Promise<RegistryCredential[]>;
}

export function createSecretReader(
  secrets: SecretReads,
  namespace: string,
  signal: AbortSignal,
): SecretReader {
  const read = new Map<string, Promise<SecretObject>>();

  const fetchSecret = async (name: string): Promise<SecretObject> => {
    const secret = await secrets.get(name, namespace, { signal }).catch((error: unknown) => {
      if (!isApiError(error, 403)) throw error;
      throw new ComputeError(
        'AccessDenied',
        `Secret ${name}: the operator may not read Secrets in namespace ${namespace}; ` +
          'grant get, list and watch on secrets to its service account',
      );
    });
    if (secret !== undefined) return secret;
    throw new ComputeError(
      'SecretNotFound',
      `Secret ${name} does not exist in namespace ${namespace}; create it`,
    );
  };
  const secretOf = (name: string): Promise<SecretObject> => {
    const known = read.get(name) ?? fetchSecret(name);
    read.set(name, known);
    return known;
  };

  return {
    async value(name, key) {
      const encoded = (await secretOf(name)).data?.[key];
      if (encoded === undefined) {
        throw new ComputeError(
          'SecretNotFound',
          `Secret ${name} in namespace ${namespace} has no key ${key}; add it`,
        );
      }
      return new SecretValue(Buffer.from(encoded, 'base64').toString('utf8'));
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

interface DockerConfig {
  readonly auths?: Record<string, { username?: string; password?: string; auth?: string }>;
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
    if (username === undefined || password === undefined) return [];
    return [{ registry: registryKey(server), username, password: new SecretValue(password) }];
  });
}

interface PlainCredential {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

function credentialOf({ username, password, auth }: PlainCredential & { auth?: string }): PlainCredential {
  if (auth === undefined) return { username, password };
  const decoded = Buffer.from(auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? {} : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
