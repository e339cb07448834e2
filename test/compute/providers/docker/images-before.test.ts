import { expect, test } from 'vitest';
import { drivenDocker, tenantSpec } from './docker-fixture.ts';
import { imageId, memoryEngine } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;

const before = ({ containers }: MemoryEngine) =>
  [...containers.values()].map(({ body }) => body.Labels?.['landlord.images_before']);

test('a container says which images those before it were made of, the last two others', async () => {
  const engine = memoryEngine(['app:1', 'app:2', 'app:3', 'app:4']);
  const provider = drivenDocker(engine);
  const roll = async (image: string) => {
    expect((await provider.update(tenantSpec({ image }), signal)).outcome).toBe('done');
  };
  await roll('app:1');
  expect(before(engine)).toEqual([undefined]);
  await roll('app:2');
  expect(before(engine)).toEqual([imageId('app:1')]);
  await roll('app:3');
  await roll('app:4');
  expect(before(engine)).toEqual([`${imageId('app:3')} ${imageId('app:2')}`]);
  await roll('app:3');
  expect(before(engine)).toEqual([`${imageId('app:4')} ${imageId('app:2')}`]);
});
