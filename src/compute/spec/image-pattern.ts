import { ComputeError } from '../errors.ts';
import { imageParts, parseImageReference, splitName } from './image-reference.ts';
import type { ImageReference } from './image-reference.ts';

/**
 * A pattern of image references, taken apart by the rules that references are: each part of it is held against that part
 * of a reference alone, so that no `*` reaches from a host into a path, or from a name into a tag or digest.
 */
export interface ImagePattern {
  readonly registry: Glob;
  readonly repository: Glob;
  /** Undefined: of any tag, or of none. */
  readonly tag: Glob | undefined;
  /** Undefined: without one. */
  readonly digest: Glob | undefined;
  /** Whole repositories, each tag and digest of them. */
  readonly isWhole: boolean;
}

/** Single characters, `*` and `**`. */
type Glob = readonly string[];

/** What a `*` does not stand for. In a host, it is for one label, as in a certificate. */
const breaks = { host: '.:', path: '/', version: '' };

const digestPattern = /^[A-Za-z0-9*+._-]+(?::[0-9A-Fa-f*]+)?$/;
/** As written: `docker.io/x` is `docker.io/library/x`, and this is more than what is under `library/`. */
const wholeHub = /^(?:index\.)?docker\.io\/\*{2,}$/;

/** Throws ComputeError InvalidSpec where no image could match it. */
export function parseImagePattern(pattern: string): ImagePattern {
  if (pattern === '*' || pattern === '**') return { ...whole, registry: ['**'], repository: ['**'] };
  const { name, tag, digest } = imageParts(pattern);
  if (digest !== undefined && !digestPattern.test(digest)) {
    throw new ComputeError('InvalidSpec', `${pattern}: no image has such a digest`);
  }
  // With something in place of its stars (a digit, where it is a port's), it is a reference itself.
  const tagged = tag === undefined ? name : `${name}:${tag}`;
  parseImageReference(tagged.replaceAll(/:\*+/g, ':1').replaceAll(/\*+/g, 'z'));
  const { registry, repository } = splitName(name);
  const where = { registry: globOf(registry), repository: globOf(wholeHub.test(name) ? '**' : repository) };
  if (tag === undefined && digest === undefined) {
    return repository.endsWith('*') ? { ...whole, ...where } : { ...versionOf('latest', digest), ...where };
  }
  return { ...versionOf(tag, digest), ...where };
}

type Version = Pick<ImagePattern, 'tag' | 'digest' | 'isWhole'>;

const whole: Version = { tag: undefined, digest: undefined, isWhole: true };

function versionOf(tag: string | undefined, digest: string | undefined): Version {
  return {
    tag: tag === undefined ? tag : globOf(tag),
    digest: digest === undefined ? digest : globOf(digest),
    isWhole: false,
  };
}

function globOf(text: string): Glob {
  return text.match(/\*{2,}|\*|[^*]/g) ?? [];
}

export function matchesImage(pattern: ImagePattern, image: ImageReference): boolean {
  return (
    matchesGlob(pattern.registry, image.registry, breaks.host) &&
    matchesGlob(pattern.repository, image.repository, breaks.path) &&
    (pattern.isWhole || matchesVersion(pattern, image))
  );
}

/** Where there is a digest, the engine goes by that, whatever the tag beside it says. */
function matchesVersion(pattern: ImagePattern, { tag, digest }: ImageReference): boolean {
  if (pattern.tag !== undefined && !matchesGlob(pattern.tag, tag ?? '', breaks.version)) return false;
  if (pattern.digest === undefined || digest === undefined) return pattern.digest === digest;
  return matchesGlob(pattern.digest, digest, breaks.version);
}

/** In time linear in the text, which a RegExp of many `.*` is not: tenants choose the text. */
function matchesGlob(glob: Glob, text: string, stops: string): boolean {
  /** By number of its first parts: whether what was read so far is what they stand for. */
  let reached = new Uint8Array(glob.length + 1);
  reached[0] = 1;
  for (let n = 0; n < glob.length && isStar(glob[n]); n += 1) reached[n + 1] = 1;
  for (const char of text) {
    const next = new Uint8Array(glob.length + 1);
    for (const [n, part] of glob.entries()) {
      if (isStar(part)) {
        const goesOn = reached[n + 1] === 1 && (part.length > 1 || !stops.includes(char));
        next[n + 1] = goesOn || next[n] === 1 ? 1 : 0;
      } else if (reached[n] === 1 && part === char) {
        next[n + 1] = 1;
      }
    }
    reached = next;
  }
  return reached[glob.length] === 1;
}

function isStar(part: string | undefined): boolean {
  return part?.startsWith('*') === true;
}
