import type { Marks } from '../../../../../ownership.ts';
import type { Engine, EngineImage } from '../../../engine/engine.ts';
import { namesOf } from '../../../state/image/image-names.ts';
import { clockSlackMs } from '../../../state/image/image-standing.ts';
import type { ListedImage, SeenImages } from '../../../state/image/image-standing.ts';
import type { ImageNeeds } from './image-needs.ts';
import type { ImageRecords } from './image-records.ts';
import type { OwnPulls } from './own-pulls.ts';

interface Looking {
  readonly engine: Engine;
  readonly isOurs: (labels: Marks) => boolean;
  readonly records: Pick<ImageRecords, 'read'>;
  readonly pulls: Pick<OwnPulls, 'underWay'>;
  readonly needs: Pick<ImageNeeds, 'wanted' | 'rollback'>;
}

/**
 * All that tells which images are needed, in three lists. The images come first, so that what was made of one in between is
 * seen. `fresh`: names that came about meanwhile, of which the lists say too little.
 */
export async function lookAtImages(
  { engine, isOurs, records, pulls, needs }: Looking,
  signal: AbortSignal,
): Promise<{ readonly seen: Omit<SeenImages, 'interests'>; readonly fresh: ReadonlySet<string> }> {
  const beganMs = engine.time.nowMs();
  const pulling = pulls.underWay();
  const images = (await engine.listImages(signal)).map(imageOf);
  const [listed, known] = await Promise.all([engine.listContainers([], signal), records.read(signal)]);
  const containers = listed.map((container) => ({ ...container, ...labelsOf(container) }));
  const young = known.filter(({ pulledMs }) => pulledMs > beganMs - clockSlackMs).map(({ image }) => image);
  const fresh = new Set([...pulling, ...pulls.underWay(), ...young]);
  const seen = {
    images,
    containers: containers.map(({ ImageID, Labels }) => ({ imageId: ImageID, ours: isOurs(Labels) })),
    records: known,
    wanted: new Set([...needs.wanted(), ...fresh]),
    rollback: needs.rollback(containers),
  };
  return { seen, fresh };
}

/** Whatever its type says: who makes one by the API need not give it any. */
function labelsOf({ Labels }: { readonly Labels?: Marks | null }): { readonly Labels: Marks } {
  return { Labels: Labels ?? {} };
}

function imageOf({
  Id: id,
  ParentId: parentId = '',
  RepoTags,
  RepoDigests,
  Size: bytes = 0,
}: EngineImage): ListedImage {
  return { id, parentId, tags: namesOf(RepoTags), digests: namesOf(RepoDigests), bytes };
}
