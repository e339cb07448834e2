import { expect, test } from 'vitest';
import { z } from 'zod';
import { structuralSchema } from '../../../src/api/crd/json-schema.ts';
import { withoutDefaults } from '../../../src/api/crd/without-defaults.ts';

const block = z.strictObject({
  name: z.string().describe('A name.'),
  list: z
    .array(z.strictObject({ on: z.boolean().default(true) }))
    .default([])
    .describe('A list.'),
  inner: z
    .strictObject({
      on: z.boolean().default(false),
      bound: z
        .string()
        .regex(/^[0-9]*$/)
        .default(''),
    })
    .prefault({})
    .describe('A block.'),
  may: z.int().default(1).optional(),
});
const bare = withoutDefaults(block);

test('takes nothing for what is left out, at any depth but in lists', () => {
  expect(bare.parse({})).toEqual({});
  expect(bare.parse({ inner: {} })).toEqual({ inner: {} });
  expect(bare.parse({ inner: { on: true }, list: [{}] })).toEqual({
    inner: { on: true },
    list: [{ on: true }],
  });
});

test.each([{ other: 1 }, { inner: { other: 1 } }, { inner: { bound: 'x' } }, { may: 0.5 }, { name: null }])(
  'still refuses %j',
  (value) => {
    expect(bare.safeParse(value).success).toBe(false);
  },
);

test('keeps what is said of each key', () => {
  const { properties } = structuralSchema(bare);
  expect(properties?.['name']?.description).toBe('A name.');
  expect(properties?.['list']?.description).toBe('A list.');
  expect(properties?.['inner']?.description).toBe('A block.');
  expect(properties?.['list']).not.toHaveProperty('default');
});
