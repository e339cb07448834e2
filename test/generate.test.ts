import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { generatedFiles } from '../dev/generate/files.ts';
import { referenceTable } from '../dev/generate/reference-page.ts';
import { reasons } from '../src/api/conditions.ts';
import { crdYaml } from '../src/api/crd/crd-yaml.ts';
import { tenantCrd } from '../src/api/crd/crd.ts';
import type { JsonSchema } from '../src/api/crd/json-schema.ts';
import { errorCodes } from '../src/compute/errors.ts';
import { tenantBlocks } from '../src/compute/registry.ts';

const root = join(import.meta.dirname, '..');
const files = generatedFiles();

describe('npm run generate', () => {
  test('writes the CRD and the reference', () => {
    expect(Object.keys(files).filter((file) => !file.startsWith('deploy/chart/'))).toEqual([
      'crds/landlord.dev_tenants.yaml',
      'docs/reference/tenant.md',
      'docs/reference/config.md',
      'docs/reference/errors.md',
      'docs/reference/portability.md',
    ]);
  });

  test('writes the whole chart: nothing is in it that is not generated', () => {
    const chart = Object.keys(files).filter((file) => file.startsWith('deploy/chart/'));
    const there = readdirSync(join(root, 'deploy/chart'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
    expect(chart.toSorted()).toEqual(there.toSorted());
  });

  test.each(Object.entries(files))('has left nothing stale: %s', (path, content) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(content);
  });

  test('writes the same every time', () => {
    expect(generatedFiles()).toEqual(files);
  });
});

test.each(['1.1', '1.2'] as const)(
  'the CRD means the same as YAML %s: kubectl reads 1.1, where a bare no is false',
  (version) => {
    expect(parse(crdYaml(tenantBlocks), { version })).toEqual(tenantCrd(tenantBlocks));
  },
);

test('the CRD, in crds/ as from `landlord crd`, is kept by what installs it', () => {
  const text = files['crds/landlord.dev_tenants.yaml'] ?? '';
  const { metadata } = parse(text) as { metadata: object };
  expect(metadata).toEqual({
    name: 'tenants.landlord.dev',
    annotations: {
      'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
      'helm.sh/resource-policy': 'keep',
      'kustomize.toolkit.fluxcd.io/prune': 'disabled',
    },
  });
});

describe('the reference', () => {
  test('has a row for each error and each reason', () => {
    const page = files['docs/reference/errors.md'] ?? '';
    for (const code of errorCodes) expect(page).toContain(`\n| ${code} |`);
    for (const reason of reasons) expect(page).toContain(`\`${reason}\``);
  });

  test.each([
    ['docs/reference/tenant.md', 'spec.computeConfig.docker.image'],
    ['docs/reference/tenant.md', 'spec.containers[].ports[].containerPort'],
    ['docs/reference/tenant.md', 'status.conditions[].reason'],
    ['docs/reference/config.md', 'compute.docker.registries.KEY.username'],
    ['docs/reference/config.md', 'policy.docker.allowed_host_paths'],
    ['docs/reference/config.md', 'leader_election.lease_duration'],
  ])('%s has a row for %s', (path, field) => {
    expect(files[path]).toContain(`| \`${field}\` | `);
  });

  test.each(['docs/reference/tenant.md', 'docs/reference/config.md'])('%s describes every field', (path) => {
    const silent = (files[path] ?? '').split('\n').filter((line) => /^\| `.*\| +\|$/.test(line));
    expect(silent).toEqual([]);
  });
});

test('a reference table shows types, bounds, defaults, rules and what is required', () => {
  const schema: JsonSchema = {
    type: 'object',
    required: ['name', 'mode'],
    properties: {
      name: { type: 'string', description: 'A | name.', maxLength: 9 },
      mode: { type: 'string', enum: ['a', 'b'], default: 'a', description: 'How.' },
      count: { type: 'integer', minimum: 1, maximum: 3, description: 'How\nmany.' },
      amount: { 'x-kubernetes-int-or-string': true, minimum: 1, description: 'How much.' },
      list: {
        type: 'array',
        maxItems: 2,
        description: 'Some.',
        items: {
          type: 'object',
          properties: { at: { type: 'string', format: 'date-time', description: 'When.' } },
        },
      },
      map: {
        type: 'object',
        description: 'By key.',
        additionalProperties: {
          type: 'object',
          properties: { x: { type: 'boolean', description: 'Whether.' } },
        },
        'x-kubernetes-validations': [{ rule: 'true', message: 'it holds' }],
      },
    },
  };
  expect(referenceTable(schema, 'spec')).toBe(
    String.raw`| Field | Type | Description |
| --- | --- | --- |
| \`spec\` | object |  |
| \`spec.name\` | string | **Required.** A \| name. At most 9 characters. |
| \`spec.mode\` | \`a\`, \`b\` | How. Default: \`"a"\`. |
| \`spec.count\` | integer | How many. From 1 to 3. |
| \`spec.amount\` | quantity | How much. |
| \`spec.list\` | list of object | Some. At most 2. |
| \`spec.list[].at\` | time | When. |
| \`spec.map\` | map to object | By key. Rule: it holds. |
| \`spec.map.KEY.x\` | boolean | Whether. |`.replaceAll('\\`', '`'),
  );
});
