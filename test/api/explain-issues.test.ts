import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { explainIssues } from '../../src/api/explain-issues.ts';

function explain(schema: z.ZodType, value: unknown, root?: string): string {
  const parsed = schema.safeParse(value);
  return parsed.success ? 'taken' : explainIssues(parsed.error, root);
}

describe('explainIssues', () => {
  test.each<[what: string, schema: z.ZodType, value: unknown, message: string]>([
    ['what is missing', z.object({ a: z.string() }), {}, 'spec.a: is required'],
    ['what is null', z.object({ a: z.string() }), { a: null }, 'spec.a: must be a string'],
    ['another type', z.object({ a: z.boolean() }), { a: 'true' }, 'spec.a: must be a boolean'],
    ['no list', z.object({ a: z.array(z.string()) }), { a: {} }, 'spec.a: must be an array'],
    ['no object', z.object({ a: z.object({}) }), { a: 'x' }, 'spec.a: must be an object'],
    ['no map', z.object({ a: z.record(z.string(), z.string()) }), { a: 1 }, 'spec.a: must be an object'],
    ['half a number', z.object({ a: z.int() }), { a: 1.5 }, 'spec.a: must be a whole number'],
    ['too small a number', z.object({ a: z.int().min(1) }), { a: 0 }, 'spec.a: must be at least 1'],
    ['too big a number', z.object({ a: z.int().max(9) }), { a: 10 }, 'spec.a: must be at most 9'],
    [
      'an empty text',
      z.object({ a: z.string().min(1) }),
      { a: '' },
      'spec.a: must have at least 1 character',
    ],
    [
      'a long text',
      z.object({ a: z.string().max(2) }),
      { a: 'abc' },
      'spec.a: must have at most 2 characters',
    ],
    [
      'an empty list',
      z.object({ a: z.array(z.any()).min(1) }),
      { a: [] },
      'spec.a: must have at least 1 item',
    ],
    [
      'a long list',
      z.object({ a: z.array(z.any()).max(0) }),
      { a: [1] },
      'spec.a: must have at most 0 items',
    ],
    ["the author's words", z.int().min(1, 'must be more than nothing'), 0, 'spec: must be more than nothing'],
    ['none of a set', z.enum(['EC2', 'FARGATE']), 'ec2', 'spec: must be one of EC2, FARGATE'],
    ['another constant', z.literal('TCP'), 'UDP', 'spec: must be TCP'],
    ['no URL', z.url(), 'x', 'spec: invalid URL'],
    ['a pattern that it breaks', z.string().regex(/a/, 'must have an a'), 'b', 'spec: must have an a'],
    [
      'none of a union',
      z.union([z.string(), z.int()], { error: 'must be a quantity' }),
      true,
      'spec: must be a quantity',
    ],
    ['an unknown key', z.strictObject({}), { dokcer: 1 }, 'spec.dokcer: is not a known key'],
    [
      'a place in a list',
      z.array(z.object({ a: z.int() })),
      [{ a: 1 }, { a: '' }],
      'spec[1].a: must be a number',
    ],
    [
      'a bad key',
      z.record(z.string().regex(/^a/, 'must start with a'), z.int()),
      { b: 1 },
      'spec.b: must start with a',
    ],
    [
      'a key with signs',
      z.strictObject({}),
      { 'team.example/x-y': 1 },
      'spec.team.example/x-y: is not a known key',
    ],
    ['a key with a line break', z.strictObject({}), { 'a\nb': 1 }, 'spec."a\\nb": is not a known key'],
  ])('%s', (_what, schema, value, message) => {
    expect(explain(schema, value, 'spec')).toBe(message);
  });

  test('starts the path with the key where there is no root', () => {
    expect(explain(z.strictObject({ compute: z.object({ a: z.int() }) }), { compute: {} })).toBe(
      'compute.a: is required',
    );
  });

  test('tells the first three problems and the number of the others', () => {
    const four = explain(z.strictObject({}), { a: 1, b: 1, c: 1, d: 1, e: 1 });
    expect(four).toBe('a: is not a known key; b: is not a known key; c: is not a known key; and 2 more');
    expect(explain(z.strictObject({}), { a: 1, b: 1, c: 1 })).not.toContain('more');
  });

  test('never repeats the value, which may be a secret', () => {
    const schema = z.strictObject({ password: z.string().max(3), n: z.int() });
    expect(explain(schema, { password: 'hunter2', n: 'hunter2', x: 'hunter2' })).not.toContain('hunter2');
  });
});
