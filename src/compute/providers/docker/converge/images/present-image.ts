import { parseImageReference, pinnedImage } from '../../../../spec/image-reference.ts';
import type { EngineReads } from '../../engine/engine.ts';
import type { EngineHealthCheck } from '../../state/confinement/image-health-check.ts';
import { namesOf } from '../../state/image/image-names.ts';

/** An image that the engine has under a name. */
export interface PresentImage {
  readonly id: string;
  /** Paths that it declares as VOLUME. */
  readonly volumes: readonly string[];
  /** The health check that it declares, in the engine's words. */
  readonly healthCheck: EngineHealthCheck | null | undefined;
  /** `amd64`. Undefined: the engine does not tell. */
  readonly architecture: string | undefined;
  /** Whether a registry has given it under that name; otherwise it was built or loaded there. */
  readonly isPulled: boolean;
}

/** An image as a container asks for it. */
export interface NamedImage {
  readonly image: string;
  /** `linux/arm64`. Undefined: whichever is there. */
  readonly platform?: string | undefined;
}

/** What tells images apart that are asked for. */
export function imageKey({ image, platform = '' }: NamedImage): string {
  return `${image}\n${platform}`;
}

/**
 * The image of that very name, and of that platform, if the engine has it. An engine also takes an id, or its first digits, where it knows no
 * such name: so it is asked for the whole name, and what it answers must bear it.
 */
export async function presentImage(
  engine: Pick<EngineReads, 'inspectImage'>,
  { image, platform }: NamedImage,
  signal: AbortSignal,
): Promise<PresentImage | undefined> {
  const wanted = parseImageReference(image);
  const found = await engine.inspectImage(pinnedImage(wanted), signal);
  if (found === undefined) return undefined;
  if (platform !== undefined && !isOfPlatform(platform, found)) return undefined;
  const {
    Id: id,
    RepoTags,
    RepoDigests,
    Config,
    Architecture: architecture,
  } = found as Partial<typeof found>;
  const digests = namesOf(RepoDigests);
  const names = wanted.digest === undefined ? namesOf(RepoTags) : digests;
  if (id === undefined || !names.some((name) => pinnedImage(name) === pinnedImage(wanted))) return undefined;
  return {
    id,
    volumes: Object.keys(Config?.Volumes ?? {}),
    healthCheck: Config?.Healthcheck,
    architecture,
    isPulled: digests.some(
      ({ registry, repository }) => registry === wanted.registry && repository === wanted.repository,
    ),
  };
}

const sameArchitecture: Readonly<Record<string, string>> = { aarch64: 'arm64', x86_64: 'amd64' };

/** What the engine does not tell of an image, or an arm64 one is always (v8), makes no difference. */
function isOfPlatform(platform: string, found: ImageOfPlatform): boolean {
  const [os, named = '', variant] = platform.split('/');
  const architecture = sameArchitecture[named] ?? named;
  const { Variant: actual = '' } = found;
  return (
    found.Os === os &&
    found.Architecture === architecture &&
    (variant === undefined || actual === '' || actual === variant)
  );
}

interface ImageOfPlatform {
  readonly Os: string;
  readonly Architecture: string;
  readonly Variant?: string | undefined;
}
