import type { Logger } from 'pino';
import { keptFor } from '../../../../../image-collection.ts';
import type { ImageCollection, KeptFor } from '../../../../../image-collection.ts';
import type { Marks, Ownership } from '../../../../../ownership.ts';
import { consentTo } from '../../../../../permit.ts';
import type { Consent, Permit } from '../../../../../permit.ts';
import type { Engine } from '../../../engine/engine.ts';
import { namesIn, standingOf, whyOthers } from '../../../state/image/image-standing.ts';
import type { ListedImage, SeenImages } from '../../../state/image/image-standing.ts';
import { lookAtImages } from './image-look.ts';
import { createImageInterest } from './image-interest.ts';
import type { ImageInterest } from './image-interest.ts';
import { createImageNeeds } from './image-needs.ts';
import type { ImageNeeds } from './image-needs.ts';
import { createImageRecords } from './image-records.ts';
import type { ImageRecords } from './image-records.ts';
import { createOwnPulls } from './own-pulls.ts';
import { removeUnused } from './remove-unused.ts';

/** Removes images that pulls of ours have brought, and that nobody needs any more. */
export interface ImageGc extends Pick<ImageNeeds, 'want' | 'forget'> {
  /** To be pulled with, so that it is known what that has brought. */
  readonly pullImage: Engine['pullImage'];
  /** Hears what others do with images, until `signal` aborts; never rejects. */
  listen(signal: AbortSignal): Promise<void>;
  /** See `CollectsImages`. */
  collect(permit: Permit, signal: AbortSignal): Promise<ImageCollection | undefined>;
}

export interface ImageGcOptions {
  readonly engine: Engine;
  readonly ownership: Ownership;
  /** The engine's name; '' is the block's own. */
  readonly domain: string;
  /** So long an image must have been of no use, as far as this process has seen. */
  readonly graceMs: number;
  /** Only tells what would go. */
  readonly dryRun: boolean;
  readonly logger: Logger;
  /** Milliseconds of a clock that is never set. */
  readonly now?: () => number;
}

/** An image that is of no use. */
interface Unused {
  readonly sinceMs: number;
  /** Whether it was told that it would go. */
  told: boolean;
}

export function createImageGc(options: ImageGcOptions): ImageGc {
  const { engine, ownership, domain, graceMs, logger, now = () => performance.now() } = options;
  const records = createImageRecords(engine, ownership);
  const pulls = createOwnPulls(engine, records, logger);
  const needs = createImageNeeds(ownership);
  const interest = createImageInterest({ engine, ownership, pulls, logger });
  const looking = { engine, isOurs: (labels: Marks) => ownership.isOurs(labels), records, pulls, needs };
  let unused = new Map<string, Unused>();

  return {
    pullImage: pulls.pullImage,
    want: needs.want,
    forget: needs.forget,
    listen: interest.listen,
    async collect(permit, signal) {
      const heard = interest.soFar();
      if (heard === undefined) return undefined;
      const consent = consentTo(permit, 'live', 'removing an image that nobody uses');
      const { seen: found, fresh } = await lookAtImages(looking, signal);
      const seen = { ...found, interests: heard.interests };
      const round = { ...options, records, needs, interest, seen, consent };
      await dropRecords(round, fresh, signal);
      const kept = Object.fromEntries(keptFor.map((why) => [why, 0])) as Record<KeptFor, number>;
      const before = unused;
      unused = new Map();
      let [removed, bytes] = [0, 0];
      for (const image of round.seen.images) {
        const standing = standingOf(image, round.seen);
        if (standing === 'unused') {
          // It takes two looks at least: the first one after a start hears what there is to be heard.
          const known = before.get(image.id);
          unused.set(image.id, known ?? { sinceMs: now(), told: false });
          if (known === undefined || now() - known.sinceMs < graceMs) kept.grace += 1;
          else if (await hasGone(round, image, known, signal)) {
            removed += 1;
            bytes += image.bytes;
          } else kept.due += 1;
        } else kept[standing] += 1;
      }
      // Of those, not all that was heard could be judged by.
      if (fresh.size === 0) heard.done();
      return { domain, kept, removed, bytes };
    },
  };
}

/** What one look has found, and what may be done about it. */
interface Round extends Pick<ImageGcOptions, 'engine' | 'dryRun' | 'logger'> {
  readonly records: ImageRecords;
  readonly needs: Pick<ImageNeeds, 'wanted'>;
  readonly interest: Pick<ImageInterest, 'soFar'>;
  readonly seen: SeenImages;
  readonly consent: Consent;
}

/** Removes it, or tells that it would. */
async function hasGone(
  { engine, dryRun, logger, records, needs, interest, seen, consent }: Round,
  image: ListedImage,
  unused: Unused,
  signal: AbortSignal,
): Promise<boolean> {
  const { id: imageId, bytes } = image;
  const facts = { image: namesIn(image)[0] ?? imageId, imageId, bytes };
  if (dryRun) {
    if (!unused.told) logger.info(facts, dryRunWords);
    unused.told = true;
    return false;
  }
  // Somebody may have come to need it since, and while nobody hears, nobody knows.
  const heard = interest.soFar();
  if (heard === undefined) return false;
  const now = { ...seen, interests: heard.interests, wanted: needs.wanted() };
  if (standingOf(image, now) !== 'unused') return false;
  const own = seen.records.filter((record) => record.imageId === imageId);
  const end = await removeUnused(engine, { image, records: own, consent }, signal);
  if (end === 'kept') return false;
  for (const record of own) await records.drop(record, consent, signal);
  if (end === 'gone') logger.info(facts, removedWords);
  else logger.info({ ...facts, why: 'somebody has tagged it since' }, othersWords);
  return end === 'gone';
}

const dryRunWords = 'nobody needs this image any more: it would be removed, but for image_gc.dry_run';
const removedWords = 'removed an image that Landlord had pulled: nobody needs it any more';
const othersWords = 'an image that Landlord has pulled stays: it is no longer ours alone';

/** Of what is gone, and of what has become somebody else's, for good. `fresh`: names of which too little is known yet. */
async function dropRecords(
  { records, logger, seen, consent }: Round,
  fresh: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const images = new Map(seen.images.map((image) => [image.id, image]));
  for (const record of seen.records) {
    if (fresh.has(record.image)) continue;
    const image = images.get(record.imageId);
    const own = seen.records.filter(({ imageId }) => imageId === record.imageId);
    const why = image && whyOthers(image, own, seen);
    if (image !== undefined && why === undefined) continue;
    if (why !== undefined) logger.info({ image: record.image, why }, othersWords);
    await records.drop(record, consent, signal);
  }
}
