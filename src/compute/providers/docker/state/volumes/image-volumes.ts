import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { DesiredContainer } from '../desired-tenant.ts';
import type { ObservedContainer } from '../observed-container.ts';

/**
 * Volumes that an image declares (`VOLUME`) and the spec says nothing of. Left to the engine, each container would get
 * a nameless one for itself: gone from sight with the container, and swept up by `docker volume prune`. So the
 * tenant's are made with a name and its marks, and every successor mounts the same ones. A container of an earlier
 * version has nameless ones, which its successors take over. Pure.
 */
export interface ImageVolume {
  /** Name on the engine. */
  readonly source: string;
  readonly target: string;
}

/** `declared`: paths in the image. `predecessor`: whose place the container is to take. */
export function imageVolumes(
  container: DesiredContainer,
  declared: readonly string[],
  predecessor: ObservedContainer | undefined,
): readonly ImageVolume[] {
  const targets = new Set(declared.map((path) => posix.resolve('/', path)));
  return [...targets]
    .filter((target) => !isMounted(container, target))
    .toSorted()
    .map((target) => {
      const taken = predecessor?.volumes.find((held) => held.target === target && isAnonymous(held.name));
      return { source: taken?.name ?? `${container.imageVolumePrefix}${shortHash(target)}`, target };
    });
}

/** Whether the old container writes to volumes of its image that its successor will mount. */
export function sharesImageVolume(container: DesiredContainer, old: ObservedContainer): boolean {
  return (
    old.made.container === container.spec.name &&
    old.volumes.some(
      ({ name, target }) =>
        (isAnonymous(name) || name.startsWith(container.imageVolumePrefix)) && !isMounted(container, target),
    )
  );
}

/** The engine's own name for a volume that nobody named. */
export function isAnonymous(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

/** As statuses name it. */
export function volumeText(name: string): string {
  return `volume ${name}`;
}

function isMounted({ volumes, files, tmpfs }: DesiredContainer, path: string): boolean {
  return [...volumes, ...files, ...tmpfs].some(({ target }) => target === path);
}

function shortHash(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 8);
}
