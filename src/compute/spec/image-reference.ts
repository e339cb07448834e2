import { isImageId } from '../../api/image-id.ts';
import { ComputeError } from '../errors.ts';

/** An image reference taken apart, by the rules that the docker command has. */
export interface ImageReference {
  /** Host of the registry as it stands in the reference, port included; `docker.io` where it names none. */
  readonly registry: string;
  /** Path in the registry: `library/nginx`, `team/app`. */
  readonly repository: string;
  /** What the engine calls it: without `docker.io/` and `library/`, without tag and digest. */
  readonly name: string;
  /** `latest` where the reference has neither tag nor digest. */
  readonly tag: string | undefined;
  /** `sha256:…`; wins over the tag. */
  readonly digest: string | undefined;
}

const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const host =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}$/;
/** What the distribution spec allows for registry host and repository together. */
const maxNameLength = 255;

/** Throws ComputeError InvalidSpec, saying which part is wrong. */
export function parseImageReference(reference: string): ImageReference {
  if (isImageId(reference)) {
    throw invalid(reference, "an image's id is no name: name it with its registry or a tag");
  }
  const { name, tag, digest } = imageParts(reference);
  if (digest !== undefined && !digestPattern.test(digest)) {
    throw invalid(reference, 'its digest must be sha256: and 64 hex digits');
  }
  if (tag !== undefined && !tagPattern.test(tag)) {
    throw invalid(reference, 'its tag must be up to 128 letters, digits, "_", "." or "-"');
  }
  const { registry, repository } = splitName(name);
  checkName(reference, registry, repository);
  return {
    registry,
    repository,
    name: familiarName(registry, repository),
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  };
}

/** What stands before the tag, the tag, and what stands behind the first `@`; none of them checked. */
export function imageParts(reference: string): {
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
} {
  const at = reference.indexOf('@');
  const nameAndTag = at === -1 ? reference : reference.slice(0, at);
  const digest = at === -1 ? undefined : reference.slice(at + 1);
  const colon = nameAndTag.lastIndexOf(':');
  // A colon before a slash belongs to the registry's port.
  if (colon <= nameAndTag.lastIndexOf('/')) return { name: nameAndTag, tag: undefined, digest };
  return { name: nameAndTag.slice(0, colon), tag: nameAndTag.slice(colon + 1), digest };
}

/** `nginx` as `docker.io/library/nginx:latest`, and by its digest alone where it has one, for that is what counts. */
export function pinnedImage({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry}/${repository}${digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`}`;
}

/** The first component is a registry only where it can't be a path: with a dot or a port, or as `localhost`. */
export function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isRegistry = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const registry = isRegistry ? first : 'docker.io';
  const repository = isRegistry ? name.slice(slash + 1) : name;
  if (registry !== 'docker.io' && registry !== 'index.docker.io') return { registry, repository };
  return {
    registry: 'docker.io',
    repository: repository.includes('/') ? repository : `library/${repository}`,
  };
}

function checkName(reference: string, registry: string, repository: string): void {
  if (!host.test(registry))
    throw invalid(reference, 'its registry must be a host name, with or without a port');
  if (!repository.split('/').every((component) => pathComponent.test(component))) {
    throw invalid(
      reference,
      'its name must be lower case letters, digits and single ".", "_", "-" or "/" between',
    );
  }
  if (registry.length + 1 + repository.length > maxNameLength) {
    throw invalid(reference, `its name must not be longer than ${maxNameLength} characters`);
  }
}

function familiarName(registry: string, repository: string): string {
  if (registry !== 'docker.io') return `${registry}/${repository}`;
  const official = repository.slice('library/'.length);
  return repository.startsWith('library/') && !official.includes('/') ? official : repository;
}

function invalid(reference: string, what: string): ComputeError {
  return new ComputeError('InvalidSpec', `Image ${reference} is not a valid image reference: ${what}`);
}
