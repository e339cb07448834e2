import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { crdYaml } from '../../../src/api/crd/crd-yaml.ts';
import { tenantCrd } from '../../../src/api/crd/crd.ts';
import type { JsonSchema } from '../../../src/api/crd/json-schema.ts';
import { tenantBlocks } from '../../../src/compute/registry.ts';

const { spec } = tenantCrd(tenantBlocks);
const [served] = spec.versions;
const schema: JsonSchema = served?.schema.openAPIV3Schema ?? {};

/** Every schema below `node` with the path that `kubectl explain` takes. */
function* fields(node: JsonSchema, path: string): Generator<[path: string, node: JsonSchema]> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const below = path === '' ? name : `${path}.${name}`;
    yield [below, child];
    yield* fields(child, below);
  }
  if (node.items !== undefined) yield* fields(node.items, path);
  if (typeof node.additionalProperties === 'object') yield* fields(node.additionalProperties, path);
}

describe('the CRD of Tenant', () => {
  test('describes every field, so that kubectl explain is of use', () => {
    const all = [...fields(schema, '')];
    expect(all.length).toBeGreaterThan(100);
    const silent = all.filter(([, { description }]) => (description ?? '').length < 10).map(([path]) => path);
    // kubectl explains these three itself.
    expect(silent).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(schema.description).toMatch(/^A Tenant is/);
  });

  test('leaves no field without a type, but for quantities', () => {
    const untyped = [...fields(schema, '')].filter(([, node]) => node.type === undefined);
    expect(untyped.map(([, node]) => node['x-kubernetes-int-or-string'])).toEqual(untyped.map(() => true));
  });

  test('serves one version, with a status and a scale of its own and the short name tn', () => {
    expect(spec.versions).toHaveLength(1);
    expect(served).toMatchObject({
      name: 'v1alpha1',
      served: true,
      storage: true,
      subresources: {
        status: {},
        scale: {
          specReplicasPath: '.spec.replicas',
          statusReplicasPath: '.status.replicas',
          labelSelectorPath: '.status.selector',
        },
      },
    });
    expect(spec).toMatchObject({ group: 'landlord.dev', scope: 'Namespaced' });
    expect(spec.names).toMatchObject({ kind: 'Tenant', shortNames: ['tn'], categories: ['landlord'] });
  });

  test('has a status from the start, which speaks of no generation', () => {
    expect(schema.properties?.['status']?.default).toEqual({ observedGeneration: -1 });
  });

  test('shows the columns that tell the state of a tenant, the details under -o wide', () => {
    const columns = served?.additionalPrinterColumns ?? [];
    const named = (wide: boolean) =>
      columns.filter((column) => 'priority' in column === wide).map(({ name }) => name);
    expect(named(false)).toEqual(['Ready', 'Status', 'Provider', 'State', 'Running', 'Age']);
    expect(named(true)).toEqual(['Health', 'Replicas', 'Drift', 'Tenant ID', 'Endpoint', 'Message']);
  });

  test('leaves the count of replicas to whoever names one: a default would undo an autoscaler', () => {
    expect(schema.properties?.['spec']?.properties?.['replicas']).not.toHaveProperty('default');
  });

  test('has a block for each provider that the registry hands in, and for no other', () => {
    const blocks = (crd: ReturnType<typeof tenantCrd>) =>
      [...fields(crd.spec.versions[0]?.schema.openAPIV3Schema as JsonSchema, '')]
        .map(([path]) => path)
        .filter((path) => /^spec\.computeConfig\.[a-z]+$/.test(path));
    expect(blocks(tenantCrd(tenantBlocks)).toSorted()).toEqual(
      Object.keys(tenantBlocks)
        .map((name) => `spec.computeConfig.${name}`)
        .toSorted(),
    );
    expect(blocks(tenantCrd({}))).toEqual([]);
  });

  test('has no pattern that a hostile value makes slow: tenants write them, the operator reads them', () => {
    const patterns = new Set([...fields(schema, '')].flatMap(([, node]) => patternsOf(node)));
    expect(patterns.size).toBeGreaterThan(10);
    // One that backtracks takes hours for these, the others milliseconds.
    const hostile = ['0', '9', 'a', '-a', '0.', 'a.', ':', '/', '1e', 'arn:aws'].map(
      (text) => `${text.repeat(200_000)}!\n`,
    );
    const slow = [...patterns].filter((pattern) => !endsFor(pattern, hostile));
    expect(slow).toEqual([]);
  });
});

/** Whether the pattern gets to the end of each text. The limit ends a hang; a second is far more than is needed. */
function endsFor(pattern: string, texts: readonly string[]): boolean {
  try {
    runInNewContext(
      'for (const text of texts) pattern.test(text);',
      { pattern: new RegExp(pattern), texts },
      { timeout: 30_000 },
    );
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw error;
  }
}

test('the CRD as YAML is taken by readers of YAML 1.1 for what it is', () => {
  const text = crdYaml(tenantBlocks);
  expect(parse(text)).toEqual(JSON.parse(JSON.stringify(tenantCrd(tenantBlocks))));
  expect(parse(text, { version: '1.1' })).toEqual(parse(text));
});

function patternsOf({ pattern, items }: JsonSchema): string[] {
  return [pattern, items?.pattern].filter((text) => text !== undefined);
}
