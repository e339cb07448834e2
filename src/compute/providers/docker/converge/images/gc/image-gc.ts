import type { Logger } from 'pino';
import { keptFor } from '../../../../../image-collection.ts';
import type { ImageCollection, KeptFor } from '../../../../../image-collection.ts';
import type { Marks, Ownership } from '../../../../../ownership.ts';
import { consentTo } from '../../../../../permit.ts';
import type { Consent, Permit } from '../../../../../permit.ts';
import { EngineRefusal } from '../../../engine/engine.ts';
import type { Engine } from '../../../engine/engine.ts';
import { pinnedNames } from '../../../state/image/image-names.ts';
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
  collect(
    permit: Permit,
    signal: AbortSignal,
    asked?: Iterable<string>,
  ): Promise<ImageCollection | undefined>;
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
  const { engine, ownership, domain, graceMs, dryRun, logger, now = () => performance.now() } = options;
  const records = createImageRecords(engine, ownership);
  const pulls = createOwnPulls(engine, records, logger);
  const needs = createImageNeeds(ownership);
  const interest = createImageInterest({ engine, ownership, pulls, logger, now });
  const looking = { engine, isOurs: (labels: Marks) => ownership.isOurs(labels), records, pulls, needs };
  let unused = new Map<string, Unused>();

  return {
    pullImage: pulls.pullImage,
    want: needs.want,
    forget: needs.forget,
    listen: interest.listen,
    async collect(permit, signal, asked = []) {
      const heard = interest.soFar();
      if (heard === undefined) return undefined;
      const consent = consentTo(permit, 'live', 'removing an image that nobody uses');
      const wanted = (): ReadonlySet<string> => new Set([...needs.wanted(), ...pinnedNames(asked)]);
      const { seen: found, fresh } = await lookAtImages({ ...looking, needs: { ...needs, wanted } }, signal);
      const seen = { ...found, interests: heard.interests };
      const round = { engine, dryRun, logger, records, wanted, interest, seen, consent };
      const areDropped = await dropRecords(round, fresh, signal);
      const kept = Object.fromEntries(keptFor.map((why) => [why, 0])) as Record<KeptFor, number>;
      const standings = seen.images.map((image) => ({ image, standing: standingOf(image, seen) }));
      const before = unused;
      // All of them first: one that the engine fails at begins no other's time anew.
      unused = new Map(
        standings.flatMap(({ image: { id }, standing }) =>
          standing === 'unused' ? [[id, before.get(id) ?? { sinceMs: now(), told: false }]] : [],
        ),
      );
      let [removed, bytes] = [0, 0];
      for (const { image, standing } of standings) {
        if (standing === 'unused') {
          // It takes two looks at least: the first one after a start hears what there is to be heard.
          const known = before.get(image.id);
          if (known === undefined || now() - known.sinceMs < graceMs) kept.grace += 1;
          else if (await hasGone(round, { image, unused: known }, signal)) {
            removed += 1;
            bytes += image.bytes;
          } else kept.due += 1;
        } else kept[standing] += 1;
      }
      // Of those, not all that was heard could be judged by.
      if (fresh.size === 0 && areDropped) heard.done();
      return { domain, kept, removed, bytes };
    },
  };
}

/** What one look has found, and what may be done about it. */
interface Round extends Pick<ImageGcOptions, 'engine' | 'dryRun' | 'logger'> {
  readonly records: ImageRecords;
  readonly wanted: ImageNeeds['wanted'];
  readonly interest: Pick<ImageInterest, 'soFar'>;
  readonly seen: SeenImages;
  readonly consent: Consent;
}

interface Idle {
  readonly image: ListedImage;
  readonly unused: Unused;
}

/** Removes it, or tells that it would. That the engine fails at one is told, and holds up no other. */
async function hasGone(round: Round, { image, unused }: Idle, signal: AbortSignal): Promise<boolean> {
  const { dryRun, logger } = round;
  const facts = { image: namesIn(image)[0] ?? image.id, imageId: image.id, bytes: image.bytes };
  if (!dryRun) {
    const end = await refusedAs(round, facts, () => removeOne(round, image, signal));
    if (end === 'gone') logger.info(facts, removedWords);
    if (end === 'theirs') logger.info({ ...facts, why: 'somebody has tagged it since' }, othersWords);
    return end === 'gone';
  }
  if (!unused.told) logger.info(facts, dryRunWords);
  unused.told = true;
  return false;
}

async function removeOne(
  { engine, records, wanted, interest, seen, consent }: Round,
  image: ListedImage,
  signal: AbortSignal,
): Promise<'gone' | 'kept' | 'theirs'> {
  // Somebody may have come to need it since, and while nobody hears, nobody knows.
  const heard = interest.soFar();
  if (heard === undefined) return 'kept';
  const now = { ...seen, interests: heard.interests, wanted: new Set([...seen.wanted, ...wanted()]) };
  if (standingOf(image, now) !== 'unused') return 'kept';
  const own = seen.records.filter((record) => record.imageId === image.id);
  const end = await removeUnused(engine, { image, records: own, consent }, signal);
  if (end !== 'kept') for (const record of own) await records.drop(record, consent, signal);
  return end;
}

/** `undefined`: the engine fails at this very one. Rejects with all that is no answer about it. */
async function refusedAs<T>(
  { logger }: Pick<Round, 'logger'>,
  facts: object,
  run: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
    logger.warn({ ...facts, error: error.message }, refusedWords);
    return undefined;
  }
}

const refusedWords = 'the engine fails at an image that nobody needs any more: the next look tries again';
const dryRunWords = 'nobody needs this image any more: it would be removed, but for image_gc.dry_run';
const removedWords = 'removed an image that Landlord had pulled: nobody needs it any more';
const othersWords = 'an image that Landlord has pulled stays: it is no longer ours alone';

/**
 * Of what is gone, and of what has become somebody else's, for good. `fresh`: names of which too little is known yet. False: the
 * engine keeps one, and what has been heard is needed for it still.
 */
async function dropRecords(round: Round, fresh: ReadonlySet<string>, signal: AbortSignal): Promise<boolean> {
  const { records, logger, seen, consent } = round;
  const images = new Map(seen.images.map((image) => [image.id, image]));
  let areDropped = true;
  for (const record of seen.records) {
    if (fresh.has(record.image)) continue;
    const image = images.get(record.imageId);
    const own = seen.records.filter(({ imageId }) => imageId === record.imageId);
    const why = image && whyOthers(image, own, seen);
    if (image !== undefined && why === undefined) continue;
    const drop = async (): Promise<true> => {
      await records.drop(record, consent, signal);
      return true;
    };
    const facts = { image: record.image, volume: record.volume };
    if ((await refusedAs(round, facts, drop)) === undefined) areDropped = false;
    else if (why !== undefined) logger.info({ image: record.image, why }, othersWords);
  }
  return areDropped;
}
