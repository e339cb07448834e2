import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ComputeError } from '../../../../errors.ts';
import { SecretValue } from '../../../../spec/secret-value.ts';
import type { RegistryCredential } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerOperatorBlock } from '../../config.ts';
import type { PullCredential } from './image-pulls.ts';
import { parseImageReference } from '../../../../spec/image-reference.ts';

/** Hosts that Docker Hub's credentials are written under. */
const hubHosts: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** The credential for an image: the tenant's own, else the operator's, else none. Throws InvalidSpec. */
export function credentialFor(
  image: string,
  tenantsOwn: readonly RegistryCredential[],
  registries: DockerOperatorBlock['registries'],
): PullCredential | undefined {
  const { registry } = parseImageReference(image);
  const own = tenantsOwn.find((credential) => sameRegistry(credential.registry, registry));
  if (own !== undefined) return { identity: identityOf(own), read: async () => own };
  const [host, entry] = Object.entries(registries).find(([name]) => sameRegistry(name, registry)) ?? [];
  if (host === undefined || entry === undefined) return undefined;
  return {
    identity: `registries/${host}`,
    read: async () => ({
      registry: host,
      username: entry.username,
      password: new SecretValue(entry.password ?? (await readPassword(host, entry.password_file ?? ''))),
    }),
  };
}

/** Keys of a dockerconfigjson may be URLs: `https://index.docker.io/v1/`. */
function sameRegistry(name: string, registry: string): boolean {
  const host = name.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return host === registry || (hubHosts.includes(host) && hubHosts.includes(registry));
}

function identityOf({ registry, username, password }: RegistryCredential): string {
  const digest = createHash('sha256').update(password.reveal()).digest('hex');
  return `${registry}/${username}/${digest}`;
}

async function readPassword(host: string, path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ComputeError(
      'ImageUnavailable',
      `compute.docker.registries["${host}"].password_file: ${path} can't be read (${code})`,
      { cause: error },
    );
  }
}
