import { describe, expect, test } from 'vitest';
import { parseImageReference } from '../../../../../../src/compute/spec/image-reference.ts';
import {
  namesBefore,
  standingOf,
} from '../../../../../../src/compute/providers/docker/state/image/image-standing.ts';
import type {
  ListedImage,
  SeenImages,
} from '../../../../../../src/compute/providers/docker/state/image/image-standing.ts';

const digest = `sha256:${'d'.repeat(64)}`;
const id = `sha256:${'a'.repeat(64)}`;
const image = (over: { tags?: string[]; digests?: string[] } = {}): ListedImage => ({
  id,
  parentId: '',
  tags: (over.tags ?? ['registry.example/app:1']).map(parseImageReference),
  digests: (over.digests ?? [`registry.example/app@${digest}`]).map(parseImageReference),
  bytes: 1_000,
});
const pulledMs = 1_700_000_000_000;
const record = (name: string, over = {}) => ({
  volume: `v-${name}`,
  imageId: id,
  image: name,
  pulledMs,
  ...over,
});
/** What is known of an image that we alone have brought, and nobody needs. */
const seen = (over: Partial<SeenImages> = {}): SeenImages => ({
  images: [image()],
  containers: [],
  records: [record('registry.example/app:1')],
  interests: [],
  wanted: new Set(),
  rollback: new Set(),
  ...over,
});
const heard = (name: string, afterMs: number, beside = false) => ({
  interests: [{ image: name, atMs: pulledMs + afterMs, beside }],
});

describe('an image is unused only where it is proven that we alone have brought it, and nobody needs it', () => {
  test.each<[string, string, Partial<SeenImages>, ListedImage?]>([
    ['pulled by us, and of no use', 'unused', {}],
    ['nothing is written down of it', 'others', { records: [] }],
    [
      'what is written down is of another content',
      'others',
      { records: [record('registry.example/app:1', { imageId: digest })] },
    ],
    ['somebody has tagged it', 'others', {}, image({ tags: ['registry.example/app:1', 'mine:1'] })],
    [
      'somebody has pulled another tag of it',
      'others',
      {},
      image({ tags: ['registry.example/app:1', 'registry.example/app:stable'] }),
    ],
    [
      'somebody has pulled it from elsewhere',
      'others',
      {},
      image({ digests: [`mirror.example/app@${digest}`] }),
    ],
    [
      'we have pulled both of its tags',
      'unused',
      { records: [record('registry.example/app:1'), record('registry.example/app:stable')] },
      image({ tags: ['registry.example/app:1', 'registry.example/app:stable'] }),
    ],
    ['its tag means another image by now', 'unused', {}, image({ tags: [] })],
    ['it has no name any more', 'unused', {}, image({ tags: [], digests: [] })],
    [
      'a container of ours, be it stopped, is made of it',
      'used',
      { containers: [{ imageId: id, ours: true }] },
    ],
    ['a container of somebody else is made of it', 'others', { containers: [{ imageId: id, ours: false }] }],
    ['an image is built on it', 'others', { images: [image(), { ...image(), id: digest, parentId: id }] }],
    ['a Tenant asks for it', 'wanted', { wanted: new Set(['registry.example/app:1']) }],
    ['a Tenant asks for it by its digest', 'wanted', { wanted: new Set([`registry.example/app@${digest}`]) }],
    ['a Tenant may go back to it', 'rollback', { rollback: new Set([id]) }],
    ['somebody has pulled it again', 'others', heard('registry.example/app:1', 60_000)],
    ['somebody has pulled it by its digest', 'others', heard(`registry.example/app@${digest}`, 60_000)],
    ['somebody has run it by the first digits of its id', 'others', heard('aaaaaa', 60_000)],
    ['somebody has tagged it, and dropped the tag', 'others', heard(id, 60_000)],
    ['somebody has pulled another image', 'unused', heard('registry.example/app:2', 60_000)],
    ['what was heard is our own pull', 'unused', heard('registry.example/app:1', -1_000)],
    [
      'our own, by an engine whose clock is known to a second',
      'unused',
      heard('registry.example/app:1', 1_500),
    ],
    ['somebody has pulled it while we did', 'others', heard('registry.example/app:1', -1_000, true)],
  ])('%s: %s', (_what, standing, over, it = image()) => {
    expect(standingOf(it, seen(over))).toBe(standing);
  });

  test('a pull of ours by a second name is no pull of somebody else, and one after the first is', () => {
    const both = image({ tags: ['registry.example/app:1', 'registry.example/app:stable'] });
    const later = record('registry.example/app:stable', { pulledMs: pulledMs + 600_000 });
    const records = [record('registry.example/app:1'), later];
    expect(standingOf(both, seen({ records, ...heard('registry.example/app:stable', 600_000) }))).toBe(
      'unused',
    );
    expect(standingOf(both, seen({ records, ...heard('registry.example/app:1', 60_000) }))).toBe('others');
  });
});

test('all names but one go before the id does: the engine refuses an id with several', () => {
  expect(namesBefore(image())).toEqual([]);
  expect(namesBefore(image({ tags: [] }))).toEqual([]);
  expect(
    namesBefore(
      image({
        tags: ['app:1', 'app:2', 'mirror.example/app:1'],
        digests: [`other.example/app@${digest}`, `app@${digest}`],
      }),
    ),
  ).toEqual(['docker.io/library/app:1', 'docker.io/library/app:2', 'mirror.example/app:1']);
});
