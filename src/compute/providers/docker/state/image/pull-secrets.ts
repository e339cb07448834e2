import { parseImageReference } from '../../../../spec/image-reference.ts';
import type { ImageReference } from '../../../../spec/image-reference.ts';
import { scopedTo } from '../../../../spec/registry-scope.ts';
import type {
  ContainerSpec,
  RegistryCredential,
  TenantComputeSpec,
} from '../../../../spec/tenant-compute-spec.ts';

/** Which of a tenant's credentials are for which image. Pure. */

/** In the order in which they are to be tried. */
export function ownFor(
  reference: ImageReference,
  credentials: readonly RegistryCredential[],
): readonly RegistryCredential[] {
  return scopedTo(
    reference,
    credentials.map((credential) => [credential.registry, credential]),
  );
}

/** Secrets that are of no use to the images, in words: a registry is easily misspelt in one. */
export function pullSecretNotes(
  { imagePullSecrets = [], imagePullCredentials }: TenantComputeSpec,
  containers: readonly Pick<ContainerSpec, 'image'>[],
): readonly string[] {
  if (imagePullSecrets.length === 0) return [];
  const useful = new Set(
    containers.flatMap(({ image }) =>
      ownFor(parseImageReference(image), imagePullCredentials).map(({ secret }) => secret),
    ),
  );
  return imagePullSecrets
    .filter((name) => !useful.has(name))
    .map((name) => `Secret ${name} of spec.imagePullSecrets has no credentials for any of the images`);
}
