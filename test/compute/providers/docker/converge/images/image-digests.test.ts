import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ComputeError } from '../../../../../../src/compute/errors.ts';
import { containerSpec, drivenDocker, tenantSpec } from '../../docker-fixture.ts';
import { memoryEngine } from '../../memory-engine.ts';

const signal = new AbortController().signal;
const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A registry whose tags mean what `tags` says: a digest, a promise of one, or why it says nothing. */
function bench(images: readonly string[], tags: Record<string, string | Promise<string> | ComputeError>) {
  const engine = memoryEngine(['app:1']);
  const asked: string[] = [];
  engine.askRegistry = async (image) => {
    asked.push(image);
    const said = tags[image];
    if (said instanceof ComputeError) throw said;
    return said;
  };
  const { bare } = drivenDocker(engine);
  const spec = tenantSpec(
    {},
    { containers: images.map((image, index) => containerSpec(`c${index}`, { image })) },
  );
  return { bare, spec, asked, resolve: async () => bare.resolveImages?.(spec, signal) };
}

describe('what tags mean', () => {
  it('is asked of the registry each time anew, once for each image that is named by a tag', async () => {
    const tags = { 'app:1': digestOf('a'), app: digestOf('b') };
    const { resolve, asked } = bench(['app:1', 'app:1', 'app', `app@${digestOf('c')}`], tags);
    expect(await resolve()).toEqual(tags);
    tags.app = digestOf('d');
    expect(await resolve()).toEqual(tags);
    expect(asked).toEqual(['app:1', 'app', 'app:1', 'app']);
  });

  it('is waited for but a moment, and asked for but once meanwhile', async () => {
    const late = Promise.withResolvers<string>();
    const { resolve, asked } = bench(['app:1', 'db:1'], { 'app:1': digestOf('a'), 'db:1': late.promise });
    for (let pass = 0; pass < 2; pass += 1) {
      const resolving = resolve();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(await resolving).toBe('asking');
    }
    late.resolve(digestOf('b'));
    await vi.advanceTimersByTimeAsync(0);
    expect(await resolve()).toEqual({ 'app:1': digestOf('a'), 'db:1': digestOf('b') });
    expect(asked).toEqual(['app:1', 'db:1']);
  });

  it.each([
    ['refuses', new ComputeError('ImageUnavailable', 'no such tag'), 'no such tag'],
    ['says no digest', undefined, 'Image app:1 has no digest by the word of its registry'],
  ])('is not known where the registry %s, until it does', async (_what, answer, message) => {
    const tags: Record<string, string | ComputeError> = answer === undefined ? {} : { 'app:1': answer };
    const { resolve, asked } = bench(['app:1'], tags);
    await resolve();
    await expect(resolve()).rejects.toMatchObject({ code: 'ImageUnavailable', message });
    expect(asked).toHaveLength(1);
    tags['app:1'] = digestOf('a');
    vi.setSystemTime(Date.now() + 2_000);
    await expect(resolve()).rejects.toMatchObject({ message });
    await vi.advanceTimersByTimeAsync(0);
    expect(await resolve()).toEqual({ 'app:1': digestOf('a') });
  });
});

describe('a desired state with digests', () => {
  const { bare, spec } = bench(['app:1', 'app', 'registry.example:5000/db'], {});
  const images = (digests?: Readonly<Record<string, string>>) =>
    bare.desired({ ...spec, ...(digests && { digests }) }).containers.map((one) => one.spec.image);

  it('is of the very content, and tells the tag', () => {
    const digests = { app: digestOf('a'), 'registry.example:5000/db': digestOf('b') };
    expect(images(digests)).toEqual([
      'app:1',
      `app:latest@${digestOf('a')}`,
      `registry.example:5000/db:latest@${digestOf('b')}`,
    ]);
  });

  it('is another one where the tag has moved, and not where it means the same', () => {
    const hash = (letter: string) =>
      bare.desired({ ...spec, digests: { 'app:1': digestOf(letter) } }).specHash;
    expect(hash('a')).toBe(hash('a'));
    expect(hash('a')).not.toBe(hash('b'));
    expect(bare.desired({ ...spec, digests: {} }).specHash).toBe(bare.desired(spec).specHash);
  });
});
