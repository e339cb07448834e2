import { parseImageReference, pinnedImage } from '../../../../spec/image-reference.ts';
import type { ImageReference } from '../../../../spec/image-reference.ts';

/** The names of an image, as the engine lists them, taken apart; without those that are none. */
export function namesOf(names: readonly string[] | null | undefined): readonly ImageReference[] {
  return (names ?? []).flatMap((name) => {
    try {
      return [parseImageReference(name)];
    } catch {
      // `<none>:<none>`: it has lost its name.
      return [];
    }
  });
}

/** As `pinnedImage`; undefined for what is no name. */
export function pinnedName(name: string): string | undefined {
  const [reference] = namesOf([name]);
  return reference && pinnedImage(reference);
}

/** The same of many, without those that are no names. */
export function pinnedNames(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].flatMap((name) => pinnedName(name) ?? []);
}

/** `docker.io/library/nginx` */
export function repositoryOf({ registry, repository }: ImageReference): string {
  return `${registry}/${repository}`;
}
