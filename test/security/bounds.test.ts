import { describe, expect, test } from 'vitest';
import { tenantCrd } from '../../src/api/crd/crd.ts';
import type { JsonSchema } from '../../src/api/crd/json-schema.ts';
import { maxSpecBytes } from '../../src/api/bounded.ts';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { chooseProvider } from '../../src/compute/selection/choose-provider.ts';
import { requestedAt } from '../../src/controller/pass.ts';
import { parseTenantSpec } from '../../src/controller/steps/resolve-spec.ts';
import { tenantWith } from '../controller/tenant-fixture.ts';

const { spec = {}, status = {} } =
  tenantCrd(tenantBlocks).spec.versions[0]?.schema.openAPIV3Schema.properties ?? {};

/** Every schema below `node`, itself first. */
function* nodes(node: JsonSchema, path: string): Generator<[path: string, node: JsonSchema]> {
  yield [path, node];
  for (const [name, child] of Object.entries(node.properties ?? {})) yield* nodes(child, `${path}.${name}`);
  if (node.items !== undefined) yield* nodes(node.items, `${path}[]`);
  if (typeof node.additionalProperties === 'object') yield* nodes(node.additionalProperties, `${path}.KEY`);
}

function isBounded(node: JsonSchema): boolean {
  if (node['x-kubernetes-int-or-string'] === true) return node.maxLength !== undefined;
  if (node.type === 'string') {
    return node.maxLength !== undefined || node.enum !== undefined || node.format === 'date-time';
  }
  if (node.type === 'number') return node.minimum !== undefined && node.maximum !== undefined;
  if (node.type === 'array') return node.maxItems !== undefined;
  return node.type === 'object' ? isBoundedObject(node) : ['boolean', 'integer'].includes(node.type ?? '');
}

/** The keys of a map have no schema of their own: a rule bounds them. */
function isBoundedObject(node: JsonSchema): boolean {
  const rules = (node['x-kubernetes-validations'] ?? []) as readonly { readonly rule: string }[];
  const isMap = node.additionalProperties !== undefined;
  const isOpen = isMap || node['x-kubernetes-preserve-unknown-fields'] === true;
  const hasKeys = !isMap || rules.some(({ rule }) => /self\.all\(key, size\(key\) <= \d+ /.test(rule));
  return !isOpen || (node.maxProperties !== undefined && hasKeys);
}

describe('the CRD', () => {
  test('has a bound for every string, list and map that a tenant writes', () => {
    const all = [...nodes(spec, 'spec')];
    expect(all.length).toBeGreaterThan(80);
    expect(all.filter(([, node]) => !isBounded(node)).map(([path]) => path)).toEqual([]);
  });

  test('has a bound for every list and map of the status', () => {
    const wide = [...nodes(status, 'status')].filter(
      ([, node]) => node.type === 'array' || node.additionalProperties !== undefined,
    );
    expect(wide.length).toBeGreaterThan(8);
    const open = wide.filter(([, node]) => node.maxItems === undefined && node.maxProperties === undefined);
    expect(open.map(([path]) => path)).toEqual([]);
  });
});

describe('a spec as a whole', () => {
  const schema = tenantSpecSchema(tenantBlocks);
  const parse = (mock: Record<string, unknown>) =>
    parseTenantSpec(schema, tenantWith(undefined, {}, { computeConfig: { mock } }));
  const around = JSON.stringify({ computeConfig: { mock: { key: '' } } }).length;

  test('is taken as long as it may be, and no longer, whatever of it is large', () => {
    expect(() => parse({ key: 'x'.repeat(maxSpecBytes - around) })).not.toThrow();
    expect(() => parse({ key: 'x'.repeat(maxSpecBytes - around + 1) })).toThrow(
      expect.objectContaining({
        code: 'InvalidSpec',
        message: expect.stringMatching(/^spec: has \d+ bytes/),
      }),
    );
  });

  test('counts by bytes, as it is stored and sent', () => {
    expect(() => parse({ key: '☃'.repeat(maxSpecBytes / 2) })).toThrow(/^spec: has \d+ bytes/);
  });

  test('that is refused for a key of any length says so in few words', () => {
    const refused = () => parseTenantSpec(schema, tenantWith(undefined, {}, { ['x'.repeat(100_000)]: 1 }));
    expect(refused).toThrow(expect.objectContaining({ message: expect.stringMatching(/^spec\.x{1,300}/) }));
    expect(refused).not.toThrow(/x{1000}/);
  });
});

describe('an annotation of 200 KB', () => {
  const long = '\u0001'.repeat(200_000);
  const asking = (value: string) => {
    const tenant = tenantWith();
    const annotations = { [reconcileRequestedAt]: value };
    return requestedAt({ tenant: { ...tenant, metadata: { ...tenant.metadata, annotations } } });
  };

  test('that asks for a reconcile is echoed by its hash, which tells it from another', () => {
    expect(asking(long)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(asking(`${long}x`)).not.toBe(asking(long));
    expect(asking('2026-01-01T00:00:00Z')).toBe('2026-01-01T00:00:00Z');
  });

  test('that names a provider is told in part', () => {
    const annotations = { compute_provider: long };
    const choose = () => chooseProvider({ annotations, blocks: [], enabled: ['docker'] });
    const part = '\u0001'.repeat(63);
    expect(choose).toThrow(`provider "${part}…" (from annotation compute_provider)`);
    expect(choose).not.toThrow(/.{1000}/);
  });
});
