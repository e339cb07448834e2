import { parseImageReference, pinnedImage } from '../../../../spec/image-reference.ts';
import type { ImageReference } from '../../../../spec/image-reference.ts';
import type { EngineReads } from '../../engine/engine.ts';
import type { EngineHealthCheck } from '../../state/confinement/image-health-check.ts';

/** An image that the engine has under a name. */
export interface PresentImage {
  readonly id: string;
  /** Paths that it declares as VOLUME. */
  readonly volumes: readonly string[];
  /** The health check that it declares, in the engine's words. */
  readonly healthCheck: EngineHealthCheck | null | undefined;
  /** Whether a registry has given it under that name; otherwise it was built or loaded there. */
  readonly isPulled: boolean;
}

/**
 * The image of that very name, if the engine has it. An engine also takes an id, or its first digits, where it knows no
 * such name: so it is asked for the whole name, and what it answers must bear it.
 */
export async function presentImage(
  engine: Pick<EngineReads, 'inspectImage'>,
  reference: string,
  signal: AbortSignal,
): Promise<PresentImage | undefined> {
  const wanted = parseImageReference(reference);
  const found = await engine.inspectImage(pinnedImage(wanted), signal);
  if (found === undefined) return undefined;
  const { Id: id, RepoTags, RepoDigests, Config } = found as Partial<typeof found>;
  const digests = namesOf(RepoDigests);
  const names = wanted.digest === undefined ? namesOf(RepoTags) : digests;
  if (id === undefined || !names.some((name) => pinnedImage(name) === pinnedImage(wanted))) return undefined;
  return {
    id,
    volumes: Object.keys(Config?.Volumes ?? {}),
    healthCheck: Config?.Healthcheck,
    isPulled: digests.some(
      ({ registry, repository }) => registry === wanted.registry && repository === wanted.repository,
    ),
  };
}

function namesOf(names: readonly string[] | null | undefined): readonly ImageReference[] {
  return (names ?? []).flatMap((name) => {
    try {
      return [parseImageReference(name)];
    } catch {
      // `<none>:<none>`: it has lost its name.
      return [];
    }
  });
}
