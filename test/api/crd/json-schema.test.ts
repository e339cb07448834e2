import { expect, test } from 'vitest';
import { z } from 'zod';
import { structuralSchema } from '../../../src/api/crd/json-schema.ts';

test('a schema has nothing in it that the apiserver refuses', () => {
  const schema = z.strictObject({
    strict: z.strictObject({ a: z.string() }),
    empty: z.strictObject({}),
    loose: z.looseObject({}).meta({ 'x-kubernetes-preserve-unknown-fields': true }),
    amount: z.union([z.string(), z.int()]).meta({ 'x-kubernetes-int-or-string': true, pattern: '^1$' }),
    when: z.iso.datetime(),
  });
  expect(structuralSchema(schema)).toEqual({
    type: 'object',
    properties: {
      strict: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
      empty: { type: 'object' },
      loose: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      amount: { 'x-kubernetes-int-or-string': true, pattern: '^1$' },
      when: { type: 'string', format: 'date-time' },
    },
    required: ['strict', 'empty', 'loose', 'amount', 'when'],
  });
});

test('whole numbers are of 64 bits, with the bounds that the author set and no others', () => {
  const schema = z.strictObject({ free: z.int(), bound: z.int().min(1).max(9), real: z.number().min(0.5) });
  expect(structuralSchema(schema).properties).toEqual({
    free: { type: 'integer', format: 'int64' },
    bound: { type: 'integer', format: 'int64', minimum: 1, maximum: 9 },
    real: { type: 'number', minimum: 0.5 },
  });
});

test('maps, patterns and what may be left out stay', () => {
  const schema = z.strictObject({
    map: z.record(z.string(), z.string().regex(/^a$/)).optional(),
    mode: z.enum(['a', 'b']).default('a'),
  });
  expect(structuralSchema(schema)).toEqual({
    type: 'object',
    properties: {
      map: { type: 'object', additionalProperties: { type: 'string', pattern: '^a$' } },
      mode: { type: 'string', enum: ['a', 'b'], default: 'a' },
    },
  });
});

test('null is taken for a list of values, too: as a pattern, which is not checked against it', () => {
  const schema = z.strictObject({ mode: z.enum(['a.b', 'c']).nullable().optional() });
  expect(structuralSchema(schema).properties).toEqual({
    mode: { type: 'string', nullable: true, pattern: String.raw`^(a\.b|c)$`, maxLength: 3 },
  });
});
