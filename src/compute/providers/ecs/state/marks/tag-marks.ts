import { createHash } from 'node:crypto';
import { tagKeys, tagPrefix } from './tags.ts';
import type { Tags } from './tags.ts';

/**
 * How a service remembers which of its tags came from a spec, so that they go with it and others stay: by a mark of each
 * key, in tags of ours. Nobody finds a key with the mark of another one: 64 bits.
 */
const markLength = 16;
/** A tag's value has 256 characters. */
const marksInTag = 256 / markLength;

/** Empty where no tag comes from a spec. */
export function keyMarks(fromSpec: Tags): Tags {
  const marks = Object.keys(fromSpec)
    .map((key) => markOf(key, markLength))
    .toSorted();
  return Object.fromEntries(
    tagKeys.tagMarks.flatMap((tag, index) => {
      const some = marks.slice(index * marksInTag, (index + 1) * marksInTag);
      return some.length === 0 ? [] : [[tag, some.join('')]];
    }),
  );
}

/** How earlier versions did it: 20 bits of each key in one tag, which a key can be found for. */
const shortLength = 5;

/** Whether a service has the marks of these tags, be they those of an earlier version, which need no write to be right. */
export function hasMarksOf(fromSpec: Tags, tags: Tags): boolean {
  const wanted = keyMarks(fromSpec);
  if (tagKeys.tagMarks.every((tag) => wanted[tag] === undefined || wanted[tag] === tags[tag])) return true;
  const short = Object.keys(fromSpec).map((key) => markOf(key, shortLength));
  return !isMarked(tags) && tags[tagKeys.shortMarks] === short.toSorted().join('');
}

/** Keys on a service that came from a spec, and that `wanted` no longer has. What nobody named is none of ours. */
export function formerKeys(tags: Tags, wanted: Tags): readonly string[] {
  const there = Object.keys(tags).filter((key) => !key.startsWith(tagPrefix));
  const isFormer = isMarked(tags) ? longMarks(tags) : shortMarks(tags, [...there, ...Object.keys(wanted)]);
  return there.filter((key) => !Object.hasOwn(wanted, key) && isFormer(key));
}

function isMarked(tags: Tags): boolean {
  return tagKeys.tagMarks.some((tag) => tag in tags);
}

function longMarks(tags: Tags): (key: string) => boolean {
  const marks = new Set(tagKeys.tagMarks.flatMap((tag) => tags[tag]?.match(/.{16}/g) ?? []));
  return (key) => marks.has(markOf(key, markLength));
}

/** A mark that several keys have tells nothing of any of them: one may be somebody else's. */
function shortMarks(tags: Tags, keys: readonly string[]): (key: string) => boolean {
  const marks = new Set(tags[tagKeys.shortMarks]?.match(/.{5}/g));
  const holders = new Map<string, Set<string>>();
  for (const key of keys) {
    const mark = markOf(key, shortLength);
    holders.set(mark, (holders.get(mark) ?? new Set()).add(key));
  }
  return (key) => {
    const mark = markOf(key, shortLength);
    return marks.has(mark) && holders.get(mark)?.size === 1;
  };
}

function markOf(key: string, length: number): string {
  return createHash('sha256').update(key).digest('hex').slice(0, length);
}
