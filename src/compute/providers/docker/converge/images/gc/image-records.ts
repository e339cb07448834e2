import { createHash } from 'node:crypto';
import type { Ownership } from '../../../../../ownership.ts';
import type { Consent } from '../../../../../permit.ts';
import { unlessKind } from '../../../engine/engine.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { ImageRecord } from '../../../state/image/image-standing.ts';

/**
 * Which images pulls of ours have brought. An engine has no labels for images, and the operator's memory ends with it: so each
 * is written down on the engine itself, as the labels of a volume that nothing is ever in. Where somebody prunes that, the image
 * counts as somebody else's, and stays.
 */
export interface ImageRecords {
  write(record: Omit<ImageRecord, 'volume'>, signal: AbortSignal): Promise<void>;
  read(signal: AbortSignal): Promise<readonly ImageRecord[]>;
  /** From now on it is not read any more, be it that the engine keeps it, for somebody has mounted it. */
  drop(record: Pick<ImageRecord, 'volume'>, consent: Consent, signal: AbortSignal): Promise<void>;
}

type Calls = Pick<Engine, 'listVolumes' | 'createVolume' | 'removeVolume'>;

export function createImageRecords(engine: Calls, ownership: Ownership): ImageRecords {
  const { key, prefix } = ownership;
  const dropped = new Set<string>();
  return {
    async write({ imageId, image, pulledMs }, signal) {
      const labels = {
        ...ownership.shared(),
        [key('image_id')]: imageId,
        [key('image')]: image,
        [key('pulled')]: new Date(pulledMs).toISOString(),
      };
      const { instance, clusterUid } = ownership.owner;
      const hash = createHash('sha256').update([instance, clusterUid, imageId, image].join('\n'));
      const Name = `${prefix}-image-${hash.digest('hex').slice(0, 16)}`;
      await engine.createVolume({ Name, Labels: labels }, signal);
      dropped.delete(Name);
    },
    async read(signal) {
      const volumes = await engine.listVolumes([...ownership.filter(), key('image_id')], signal);
      return volumes.flatMap(({ Name: volume, Labels: labels }) => {
        const { [key('image_id')]: imageId, [key('image')]: image, [key('pulled')]: pulled = '' } = labels;
        const pulledMs = Date.parse(pulled);
        const isWhole = imageId !== undefined && image !== undefined && !Number.isNaN(pulledMs);
        const isKept = ownership.isOurs(labels) && !dropped.has(volume);
        return isWhole && isKept ? [{ volume, imageId, image, pulledMs }] : [];
      });
    },
    async drop({ volume }, consent, signal) {
      // Where the engine fails at that, the next look finds it, and why it is to be dropped is looked at again.
      await unlessKind('in-use', engine.removeVolume(volume, consent, signal));
      dropped.add(volume);
    },
  };
}
