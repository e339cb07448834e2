import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ComputeError } from '../../../../errors.ts';
import { SecretValue } from '../../../../spec/secret-value.ts';
import type { RegistryCredential } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerOperatorBlock } from '../../config.ts';
import type { RegistryAuth } from '../../engine/engine.ts';
import { ownFor } from '../../state/image/pull-secrets.ts';
import { parseImageReference } from '../../../../spec/image-reference.ts';
import { scopedTo } from '../../../../spec/registry-scope.ts';

export interface PullCredentials {
  /** Tells credentials apart without showing them: a pull is shared by those who'd make the same one. */
  readonly identity: string;
  /** To be tried in this order. Rejects with ImageUnavailable where the password can't be read. */
  readonly each: readonly (() => Promise<RegistryCredential>)[];
}

/** The credentials for an image: the tenant's own, else those of the operator's, else none. Throws InvalidSpec. */
export function credentialsFor(
  image: string,
  tenantsOwn: readonly RegistryCredential[],
  registries: DockerOperatorBlock['registries'],
): PullCredentials | undefined {
  const reference = parseImageReference(image);
  const own = ownFor(reference, tenantsOwn);
  if (own.length > 0)
    return { identity: own.map(identityOf).join(' '), each: own.map((credential) => async () => credential) };
  const entries = Object.entries(registries);
  const found = scopedTo(
    reference,
    entries.map(([key, entry]) => [key, { key, ...entry }]),
  );
  if (found.length === 0) return undefined;
  return {
    identity: found.map(({ key }) => `registries/${key}`).join(' '),
    each: found.map(({ key, username, password, password_file = '' }) => async () => ({
      registry: key,
      username,
      password: new SecretValue(password ?? (await readPassword(key, password_file))),
    })),
  };
}

function identityOf({ registry, username, password, isToken = false }: RegistryCredential): string {
  const digest = createHash('sha256').update(password.reveal()).digest('hex');
  return `${registry}/${isToken ? 'token' : `user/${username}`}/${digest}`;
}

/**
 * Makes the call with each in turn, until the registry gives the image for one. Rejects as the first did, which is for
 * the longest path, and at once where it is not the registry that refuses.
 */
export async function withEach<T>(
  credentials: PullCredentials | undefined,
  call: (auth: RegistryAuth | undefined) => Promise<T>,
): Promise<T> {
  if (credentials === undefined) return call(undefined);
  const refusals: ComputeError[] = [];
  for (const read of credentials.each) {
    try {
      return await call(authOf(await read()));
    } catch (error) {
      if (!(error instanceof ComputeError) || error.code !== 'ImageUnavailable') throw error;
      refusals.push(error);
    }
  }
  throw refusals[0] ?? new ComputeError('ImageUnavailable', 'there are no credentials');
}

/** In the engine's words. */
function authOf({ registry, username, password, isToken = false }: RegistryCredential): RegistryAuth {
  const serveraddress = registry.split('/')[0] ?? '';
  if (isToken) return { identitytoken: password.reveal(), serveraddress };
  return { username, password: password.reveal(), serveraddress };
}

async function readPassword(key: string, path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ComputeError(
      'ImageUnavailable',
      `compute.docker.registries["${key}"].password_file: ${path} can't be read (${code})`,
      { cause: error },
    );
  }
}
