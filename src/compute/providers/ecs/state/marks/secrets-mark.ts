import type { DesiredService } from '../desired.ts';
import { digestOf } from '../service/setting-marks.ts';

/**
 * The part `sv` of the mark of what was applied last: the versions that its secrets had when its tasks were started last.
 * They were asked for before that, so that what is rotated in between rolls out once more, and nothing is missed.
 */

type Versioned = Pick<DesiredService, 'secretReferences'>;

/** Undefined: it reads none, or not all of them are known. */
export function secretsMark(
  { secretReferences }: Versioned,
  versionOf: (reference: string) => string | undefined,
): string | undefined {
  const versions = secretReferences.map((reference) => [reference, versionOf(reference)] as const);
  const isKnown = versions.length > 0 && versions.every(([, version]) => version !== undefined);
  return isKnown ? digestOf(versions) : undefined;
}

interface Mark {
  readonly secrets: string | undefined;
}

/** Whether its tasks have read other versions. What is not known is not rotated, and what was never noted was not seen to be. */
export function isRotated(
  { secretVersions }: Pick<DesiredService, 'secretVersions'>,
  { secrets }: Mark,
): boolean {
  return secretVersions !== undefined && secrets !== undefined && secrets !== secretVersions;
}

/** Whether the versions are yet to be noted, which rolls nothing out: what its tasks have read by now, nobody knows. */
export function isUnmarked(
  { secretVersions }: Pick<DesiredService, 'secretVersions'>,
  { secrets, isRejected }: Mark & { readonly isRejected: boolean },
): boolean {
  return secretVersions !== undefined && secrets === undefined && !isRejected;
}

/**
 * The versions to note. Where not all are known, those of before stay: its tasks may have read them, and what is another one once
 * it is known was perhaps not read by any. A rollout too many is better than one that never comes.
 */
export function notedVersions(
  { secretReferences, secretVersions }: Pick<DesiredService, 'secretReferences' | 'secretVersions'>,
  { secrets }: Mark,
): Pick<DesiredService, 'secretVersions'> {
  const noted = secretReferences.length === 0 ? undefined : (secretVersions ?? secrets);
  return noted === undefined ? {} : { secretVersions: noted };
}
