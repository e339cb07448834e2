import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ComputeError } from '../../../../errors.ts';
import { SecretValue } from '../../../../spec/secret-value.ts';
import type { RegistryCredential } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerOperatorBlock } from '../../config.ts';
import type { PullCredential } from './image-pulls.ts';
import { parseImageReference } from '../../../../spec/image-reference.ts';
import { scopedTo } from '../../../../spec/registry-scope.ts';

/** The credential for an image: the tenant's own, else one of the operator's, else none. Throws InvalidSpec. */
export function credentialFor(
  image: string,
  tenantsOwn: readonly RegistryCredential[],
  registries: DockerOperatorBlock['registries'],
): PullCredential | undefined {
  const reference = parseImageReference(image);
  const own = scopedTo(
    reference,
    tenantsOwn.map((credential) => [credential.registry, credential]),
  );
  if (own !== undefined) return { identity: identityOf(own), read: async () => own };
  const keys = Object.keys(registries);
  const key = scopedTo(
    reference,
    keys.map((name) => [name, name]),
  );
  const entry = key === undefined ? undefined : registries[key];
  if (key === undefined || entry === undefined) return undefined;
  return {
    identity: `registries/${key}`,
    read: async () => ({
      registry: key,
      username: entry.username,
      password: new SecretValue(entry.password ?? (await readPassword(key, entry.password_file ?? ''))),
    }),
  };
}

function identityOf({ registry, username, password }: RegistryCredential): string {
  const digest = createHash('sha256').update(password.reveal()).digest('hex');
  return `${registry}/${username}/${digest}`;
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
