import { expect, test } from 'vitest';
import { labelledBlock } from '../../../src/compute/selection/labelled-block.ts';

const definition = { labelled: { engine: 'landlord.dev/engine' } };
const said = (engine: string) => ({ 'landlord.dev/engine': engine, 'landlord.dev/other': 'x' });

test.each<[what: string, metadata: Parameters<typeof labelledBlock>[1], block: unknown, expected: object]>([
  ['a label', { labels: said('a') }, { image: 'app:1' }, { image: 'app:1', engine: 'a' }],
  ['an annotation', { annotations: said('a') }, {}, { engine: 'a' }],
  ['a label before an annotation', { labels: said('a'), annotations: said('b') }, {}, { engine: 'a' }],
  ['an annotation behind an empty label', { labels: said(''), annotations: said('b') }, {}, { engine: 'b' }],
  ['a label, where there is no block', { labels: said('a') }, undefined, { engine: 'a' }],
  ['nothing, where the block says it', { labels: said('a') }, { engine: 'b' }, { engine: 'b' }],
  ['nothing, where the block unsets it', { labels: said('a') }, { engine: null }, { engine: null }],
  ['nothing, where there is none', {}, { image: 'app:1' }, { image: 'app:1' }],
  ['of what is no block, the label', { labels: said('a') }, 'text', { engine: 'a' }],
])('to a block is added %s', (_what, metadata, block, expected) => {
  expect(labelledBlock(definition, metadata, block)).toEqual(expected);
});

test('the same block with the same labels is the same object, and its own where nothing is added', () => {
  const block = { image: 'app:1' };
  const once = labelledBlock(definition, { labels: said('a') }, block);
  expect(labelledBlock(definition, { labels: said('a') }, block)).toBe(once);
  expect(labelledBlock(definition, { labels: said('b') }, block)).toEqual({ ...block, engine: 'b' });
  expect(labelledBlock({}, { labels: said('a') }, block)).toBe(block);
});
