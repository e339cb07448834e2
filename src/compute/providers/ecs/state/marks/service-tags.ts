import { createHash } from 'node:crypto';
import { appliedMark } from './applied-mark.ts';
import type { DesiredService } from '../desired.ts';
import { drainWanted } from './drain-mark.ts';
import { tagKeys, tagPrefix } from './tags.ts';
import type { Tags } from './tags.ts';
import type { Overlay } from '../task-definition/task-overlay.ts';

/** Tags of the service once `taskDefinition` (an ARN's `FAMILY:REVISION`) was given to it. */
export function serviceTags(desired: DesiredService, revision: string): Tags {
  const fromSpec = Object.keys(desired.tags);
  return {
    ...desired.tags,
    ...desired.ownerTags,
    ...(fromSpec.length === 0 ? {} : { [tagKeys.tagKeys]: fromSpec.map(tagKeyMark).toSorted().join('') }),
    ...drainTag(desired),
    ...(desired.overlay === undefined
      ? {}
      : { [tagKeys.taskDefinition]: taskDefinitionTag(desired.overlay, revision) }),
    [tagKeys.specHash]: appliedMark(desired),
  };
}

/** How a service tells those who will delete it, who no longer have the spec. */
export function drainTag({ drain }: DesiredService): Tags {
  return drain ? { [tagKeys.drain]: drainWanted } : {};
}

export function taskDefinitionTag({ hash }: Overlay, revision: string): string {
  return `${hash} ${revision}`;
}

/** Hex digits by which `landlord.tag_keys` remembers a key: 40 of them fit into the 256 characters of a tag. */
const markLength = 5;

/** Stands for the key of a tag. One in a million keys looks like another one. */
function tagKeyMark(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, markLength);
}

/** Keys of the service's tags that came from a spec; others that nobody named are none of ours. */
export function keysFromSpec(tags: Tags): readonly string[] {
  const marks = new Set(tags[tagKeys.tagKeys]?.match(/.{5}/g));
  return Object.keys(tags).filter((key) => !key.startsWith(tagPrefix) && marks.has(tagKeyMark(key)));
}
