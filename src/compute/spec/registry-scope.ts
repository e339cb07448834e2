import type { ImageReference } from './image-reference.ts';

/** What a key of a dockerconfigjson, or of the operator's registries, is for. */
interface RegistryScope {
  readonly registry: string;
  /** Components of the repositories' names that it is for; none: all of the registry. */
  readonly path: readonly string[];
}

/** Hosts that Docker Hub's credentials are written under. */
const hubHosts: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** `docker login` writes registries as URLs with the version of their API: `https://index.docker.io/v1/`. */
export function registryKey(written: string): string {
  const bare = written.replace(/^https?:\/\//, '');
  const [host = '', ...path] = bare.split('/');
  const isUrl = bare !== written || host === 'index.docker.io';
  if (isUrl && (path[0] === 'v1' || path[0] === 'v2')) path.shift();
  return [host, ...path.filter((component) => component !== '')].join('/');
}

/**
 * Of what the keys are for, that which an image is to be had with: the longest path before its name, as the kubelet has it.
 * A key with a path is for what is below that path alone.
 */
export function scopedTo<T>(
  { registry, repository }: ImageReference,
  entries: Iterable<readonly [key: string, value: T]>,
): T | undefined {
  const components = repository.split('/');
  let best: { readonly length: number; readonly value: T } | undefined;
  for (const [key, value] of entries) {
    const scope = scopeOf(key);
    const isFor =
      scope.registry === registry && scope.path.every((component, index) => components[index] === component);
    if (isFor && scope.path.length > (best?.length ?? -1)) best = { length: scope.path.length, value };
  }
  return best?.value;
}

function scopeOf(written: string): RegistryScope {
  const [host = '', ...path] = registryKey(written).split('/');
  return { registry: hubHosts.includes(host) ? 'docker.io' : host, path };
}
