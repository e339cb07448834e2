import { imageParts } from '../../../../spec/image-reference.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';

/** The containers with what their images' tags are known to mean: the tag stays for people, the engine goes by the digest. */
export function pinnedContainers(
  containers: readonly ContainerSpec[],
  digests: Readonly<Record<string, string>> = {},
): readonly ContainerSpec[] {
  return containers.map((container) => {
    const digest = digests[container.image];
    return digest === undefined ? container : { ...container, image: pinnedTo(container.image, digest) };
  });
}

function pinnedTo(image: string, digest: string): string {
  const { name, tag = 'latest' } = imageParts(image);
  return `${name}:${tag}@${digest}`;
}
