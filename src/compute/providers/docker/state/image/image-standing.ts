import { pinnedImage } from '../../../../spec/image-reference.ts';
import type { ImageReference } from '../../../../spec/image-reference.ts';
import { namesOf, pinnedName, repositoryOf } from './image-names.ts';

/** What is known of the images on an engine, and which of them nobody needs. Pure. */

/** An image as the engine lists it. */
export interface ListedImage {
  readonly id: string;
  /** Empty where the engine does not tell. */
  readonly parentId: string;
  readonly tags: readonly ImageReference[];
  readonly digests: readonly ImageReference[];
  /** Those that it shares with others among them. */
  readonly bytes: number;
}

/** That a pull of ours has brought an image under this name, and that it was not there before. */
export interface ImageRecord {
  /** Where it is kept. */
  readonly volume: string;
  readonly imageId: string;
  /** See `pinnedImage`. */
  readonly image: string;
  /** By the engine's clock, no sooner than the pull's end. */
  readonly pulledMs: number;
}

/** That somebody else has had to do with an image. */
export interface Interest {
  /** Its id, or one of its names. */
  readonly image: string;
  readonly atMs: number;
  /** Whether it was while we pulled it ourselves: then it counts although the record is younger. */
  readonly beside: boolean;
}

export interface SeenImages {
  readonly images: readonly ListedImage[];
  /** Everybody's, running or not. `ours`: by its marks. */
  readonly containers: readonly { readonly imageId: string; readonly ours: boolean }[];
  readonly records: readonly ImageRecord[];
  readonly interests: readonly Interest[];
  /** Names that Tenants ask for, or that are being pulled; see `pinnedImage`. */
  readonly wanted: ReadonlySet<string>;
  /** Ids of the images that Tenants may roll back to. */
  readonly rollback: ReadonlySet<string>;
}

/**
 * `others`: it is not proven that we alone have brought it, and that nobody else uses it; `used`: a container is made of it;
 * `wanted`: a Tenant asks for it; `rollback`: one may go back to it; `unused`: none of these.
 */
export type ImageStanding = 'others' | 'used' | 'wanted' | 'rollback' | 'unused';

export function standingOf(image: ListedImage, seen: SeenImages): ImageStanding {
  const records = seen.records.filter(({ imageId }) => imageId === image.id);
  if (records.length === 0 || whyOthers(image, records, seen) !== undefined) return 'others';
  if (seen.containers.some(({ imageId }) => imageId === image.id)) return 'used';
  if (namesIn(image).some((name) => seen.wanted.has(name))) return 'wanted';
  return seen.rollback.has(image.id) ? 'rollback' : 'unused';
}

/** Why an image that we have pulled is somebody else's as well, in words. Undefined: nothing tells that it is. */
export function whyOthers(
  image: ListedImage,
  records: readonly ImageRecord[],
  { images, containers, interests }: Pick<SeenImages, 'images' | 'containers' | 'interests'>,
): string | undefined {
  const foreign = foreignName(image, records);
  if (foreign !== undefined) return `it has the name ${foreign}, by which Landlord did not pull it`;
  if (containers.some(({ imageId, ours }) => imageId === image.id && !ours))
    return 'a container of somebody else is made of it';
  if (images.some(({ parentId }) => parentId === image.id)) return 'another image is built on it';
  if (interests.some((one) => isAbout(one, image, records)))
    return 'somebody else has pulled, tagged, run or saved it since';
  return undefined;
}

/** The engine's clock is known to within a second or so. */
export const clockSlackMs = 2_000;

/** What was done before the record was made is our own pull, unless it was heard to be another one. */
function isAbout(
  { image: asked, atMs, beside }: Interest,
  image: ListedImage,
  records: readonly ImageRecord[],
) {
  const name = namesIn(image).find((one) => one === pinnedName(asked));
  if (name === undefined && !isIdOf(asked, image.id)) return false;
  const own = records.find((record) => record.image === name);
  const since = own?.pulledMs ?? Math.min(...records.map(({ pulledMs }) => pulledMs));
  return beside || atMs > since + clockSlackMs;
}

/** A digest comes with a pull by a tag of the same repository. */
function foreignName({ tags, digests }: ListedImage, records: readonly ImageRecord[]): string | undefined {
  const names = new Set(records.map(({ image }) => image));
  const repositories = new Set(namesOf([...names]).map(repositoryOf));
  const foreign =
    tags.find((tag) => !names.has(pinnedImage(tag))) ??
    digests.find((digest) => !repositories.has(repositoryOf(digest)));
  return foreign && pinnedImage(foreign);
}

export function namesIn({ tags, digests }: ListedImage): readonly string[] {
  return [...tags, ...digests].map(pinnedImage);
}

/** An engine takes the first digits of an id as well. */
function isIdOf(asked: string, id: string): boolean {
  return asked !== '' && (id.startsWith(asked) || id.startsWith(`sha256:${asked}`));
}

/**
 * The names to remove one by one before its id does: an engine refuses an id with several names, of which digests of a
 * repository go with its last tag.
 */
export function namesBefore({ tags, digests }: ListedImage): readonly string[] {
  const tagged = new Set(tags.map(repositoryOf));
  const untagged = digests.filter((digest) => !tagged.has(repositoryOf(digest)));
  return [...tags, ...untagged].map(pinnedImage).slice(0, -1);
}
