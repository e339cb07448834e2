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
 * Of what the keys are for, all that an image may be had with: the longest path before its name first, as the kubelet has it;
 * of those that are as long, the first. A key with a path is for what is below that path alone.
 */
export function scopedTo<T>(
  { registry, repository }: ImageReference,
  entries: Iterable<readonly [key: string, value: T]>,
): readonly T[] {
  const components = repository.split('/');
  return [...entries]
    .map(([key, value]) => ({ ...scopeOf(key), value }))
    .filter((scope) => isHost(scope.registry, registry))
    .filter(({ path }) => path.every((component, index) => components[index] === component))
    .toSorted((a, b) => b.path.length - a.path.length)
    .map(({ value }) => value);
}

/** `*` stands for any characters of one part of a name: `*.registry.example`. The port must be the same. */
function isHost(pattern: string, host: string): boolean {
  if (!pattern.includes('*')) return pattern === host;
  const [wanted, wantedPort] = pattern.split(':');
  const [name, port] = host.split(':');
  const [patterns, parts] = [(wanted ?? '').split('.'), (name ?? '').split('.')];
  return (
    wantedPort === port &&
    patterns.length === parts.length &&
    patterns.every((one, index) => isPart(one, parts[index] ?? ''))
  );
}

/** With one `*` at most: no more is written, and more could make a pattern slow. */
function isPart(pattern: string, part: string): boolean {
  const [before = '', after, more] = pattern.split('*');
  if (after === undefined || more !== undefined) return pattern === part;
  return part.length >= before.length + after.length && part.startsWith(before) && part.endsWith(after);
}

function scopeOf(written: string): RegistryScope {
  const [host = '', ...path] = registryKey(written).split('/');
  return { registry: hubHosts.includes(host) ? 'docker.io' : host, path };
}
