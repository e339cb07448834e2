import { pinnedImage } from '../../../../../spec/image-reference.ts';
import type { Consent } from '../../../../../permit.ts';
import type { Engine } from '../../../engine/engine.ts';
import { namesOf } from '../../../state/image/image-names.ts';
import { clockSlackMs, namesBefore, namesIn } from '../../../state/image/image-standing.ts';
import type { ImageRecord, ListedImage } from '../../../state/image/image-standing.ts';

interface Removal {
  readonly image: ListedImage;
  readonly records: readonly ImageRecord[];
  readonly consent: Consent;
}

interface Tagged {
  readonly Metadata?: { readonly LastTagTime?: string } | undefined;
}

/**
 * Removes the image; 'kept' where it has other names by now or the engine won't let it go, 'theirs' where somebody has tagged it
 * since it was pulled. Its names go one by one: one that somebody gives it meanwhile stays, and the image with it.
 */
export async function removeUnused(
  engine: Pick<Engine, 'inspectImage' | 'removeImage'>,
  { image, records, consent }: Removal,
  signal: AbortSignal,
): Promise<'gone' | 'kept' | 'theirs'> {
  const found = await engine.inspectImage(image.id, signal);
  // Somebody else was quicker.
  if (found === undefined) return 'kept';
  const { RepoTags, RepoDigests, Metadata } = found as Partial<typeof found> & Tagged;
  const names = [...namesOf(RepoTags), ...namesOf(RepoDigests)].map(pinnedImage);
  if (names.toSorted().join() !== namesIn(image).toSorted().join()) return 'kept';
  // Says the engine when somebody tagged it, or with containerd's store pulled it, last; year 1: never.
  const taggedMs = Date.parse(Metadata?.LastTagTime ?? '');
  if (taggedMs > Math.max(...records.map(({ pulledMs }) => pulledMs)) + clockSlackMs) return 'theirs';
  for (const name of [...namesBefore(image), image.id]) {
    if ((await engine.removeImage(name, consent, signal)) === 'in-use') return 'kept';
  }
  return 'gone';
}
