import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { explainIssues } from '../../src/api/explain-issues.ts';
import { structuralSchema } from '../../src/api/crd/json-schema.ts';
import { listMap, stringMap, withRules } from '../../src/api/rules.ts';

/** What a schema has against a value; undefined where it takes it. */
function refusal(schema: z.ZodType, value: unknown): string | undefined {
  const { error } = schema.safeParse(value);
  return error && explainIssues(error, 'spec');
}

describe('rules', () => {
  const range = z
    .strictObject({ min: z.int(), max: z.int(), name: z.string().optional() })
    .meta({ title: 'a range' });
  const checked = withRules(range, [
    {
      rule: 'self.min <= self.max',
      message: 'must not exceed max',
      fieldPath: '.min',
      holds: ({ min, max }) => min <= max,
    },
    { rule: 'self.max != 13', message: 'is no good range', holds: ({ max }) => max !== 13 },
    { rule: 'self.name == oldSelf.name', message: 'is immutable', fieldPath: '.name' },
  ]);

  test('are held by zod, each at its field, or at the object where it names none', () => {
    expect(refusal(checked, { min: 1, max: 2 })).toBeUndefined();
    expect(refusal(checked, { min: 2, max: 2, name: 'x' })).toBeUndefined();
    expect(refusal(checked, { min: 3, max: 2 })).toBe('spec.min: must not exceed max');
    expect(refusal(checked, { min: 3, max: 13 })).toBe('spec: is no good range');
    expect(refusal(checked, { min: 14, max: 13 })).toBe(
      'spec.min: must not exceed max; spec: is no good range',
    );
  });

  test('are written down for the apiserver, with what was said of the schema before', () => {
    expect(structuralSchema(checked)).toMatchObject({
      title: 'a range',
      'x-kubernetes-validations': [
        { rule: 'self.min <= self.max', message: 'must not exceed max', fieldPath: '.min' },
        { rule: 'self.max != 13', message: 'is no good range' },
        { rule: 'self.name == oldSelf.name', message: 'is immutable', fieldPath: '.name' },
      ],
    });
    expect(checked.meta()?.['x-kubernetes-validations']).not.toContainEqual(
      expect.objectContaining({ fieldPath: undefined }),
    );
  });
});

describe('a list that is a map', () => {
  const item = z.strictObject({ port: z.int(), protocol: z.string(), name: z.string().optional() });
  const ports = listMap(z.array(item).meta({ title: 'ports' }), ['port', 'protocol']);
  const tcp = { port: 80, protocol: 'TCP' };

  test('takes items that differ in one of the keys', () => {
    expect(
      refusal(ports, [tcp, { port: 81, protocol: 'TCP' }, { port: 80, protocol: 'UDP' }]),
    ).toBeUndefined();
  });

  test('refuses a second item of the same keys, whatever else differs, at its place', () => {
    expect(refusal(ports, [tcp, { port: 81, protocol: 'TCP' }, { ...tcp, name: 'web' }])).toBe(
      'spec[2]: duplicates {"port":80,"protocol":"TCP"}',
    );
  });

  test('says so to the apiserver, which merges it item by item', () => {
    expect(structuralSchema(ports)).toMatchObject({
      title: 'ports',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
    });
  });
});

describe('a map of strings', () => {
  const message = 'must be up to 3 letters';
  const map = stringMap({ pattern: /^[a-z]+$/, maxLength: 3, message }, z.string().max(2), 2);

  test.each<[what: string, value: unknown, refused: string | undefined]>([
    ['as many entries as there may be', { abc: 'x', b: '' }, undefined],
    ['one too many', { a: '', b: '', c: '' }, 'spec: must have at most 2 entries'],
    ['a key with other signs', { A: '' }, `spec.A: ${message}`],
    ['a key that is too long', { abcd: '' }, `spec.abcd: ${message}`],
    ['a value that its own schema refuses', { a: 'xyz' }, 'spec.a: must have at most 2 characters'],
  ])('with %s', (_what, value, refused) => {
    expect(refusal(map, value)).toBe(refused);
  });

  test('has the same bounds for the apiserver, the keys by a rule', () => {
    expect(structuralSchema(map)).toEqual({
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 2 },
      maxProperties: 2,
      'x-kubernetes-validations': [
        { rule: "self.all(key, size(key) <= 3 && key.matches(r'^[a-z]+$'))", message: `each key ${message}` },
      ],
    });
  });
});
