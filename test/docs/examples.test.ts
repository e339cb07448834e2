import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { explainIssues } from '../../src/api/explain-issues.ts';
import { tenantSchema, tenantSpecSchema } from '../../src/api/tenant.ts';
import { providerDefinitions, tenantBlocks } from '../../src/compute/registry.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { codeBlocks, readPages, repository } from './markdown.ts';
import type { CodeBlock } from './markdown.ts';

const blocks = readPages().flatMap((page) => codeBlocks(page));

function problemIn(schema: z.ZodType | undefined, value: unknown): string {
  if (schema === undefined)
    return 'is neither a Tenant, nor a config of the operator, nor the block of a provider';
  const parsed = schema.safeParse(value);
  return parsed.success ? '' : explainIssues(parsed.error);
}

/** What its schema has against an example; empty: nothing. */
function problemWith({ language, text, where }: CodeBlock): string {
  const value = parse(text) as Record<string, unknown>;
  if (value['kind'] === 'Tenant') return problemIn(tenantSchema(tenantBlocks), value);
  if ('compute' in value) {
    parseConfig(text, where, { providers: providerDefinitions, environment: {} });
    return '';
  }
  // JSON is a Tenant's block, on the page of its provider.
  const provider = language === 'json' ? basename(where.split(':')[0] ?? '', '.md') : '';
  return problemIn(tenantBlocks[provider], value);
}

describe('an example in the docs', () => {
  const examples = blocks.filter(({ language }) => ['yaml', 'json'].includes(language));

  test('is found at all', () => {
    expect(examples.length).toBeGreaterThan(8);
  });

  test.each(examples)('is taken as it stands: $where', (example: CodeBlock) => {
    expect(problemWith(example)).toBe('');
  });
});

describe('a `kubectl patch tenant` in the docs', () => {
  const patches = blocks.flatMap(({ text, where }) =>
    [...text.matchAll(/kubectl patch tenant \S+ --type merge -p '(.+)'/g)].map((match) => ({
      patch: match[1] ?? '',
      where,
    })),
  );

  test('is found at all', () => {
    expect(patches.length).toBeGreaterThan(2);
  });

  test.each(patches)('names fields that there are: $where', ({ patch }) => {
    const { spec } = JSON.parse(patch) as { spec: unknown };
    expect(problemIn(tenantSpecSchema(tenantBlocks), spec)).toBe('');
  });
});

describe('a sample', () => {
  const folder = join(repository, 'deploy/samples');
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

  test.each(files)('says in a comment on top what it shows: %s', (file) => {
    expect(readFileSync(join(folder, file), 'utf8')).toMatch(/^# \S.{40,}/);
  });

  test.each(files)('is taken by the schema: %s', (file) => {
    const documents = parseAllDocuments(readFileSync(join(folder, file), 'utf8'));
    const tenants = documents
      .map((document) => document.toJS() as Record<string, unknown>)
      .filter(({ kind }) => kind === 'Tenant');
    expect(tenants).toHaveLength(1);
    expect(problemIn(tenantSchema(tenantBlocks), tenants[0])).toBe('');
  });

  test('is there for each provider', () => {
    const all = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
    for (const { name } of providerDefinitions)
      expect(all).toMatch(new RegExp(`^    ${name}:|: ${name}$`, 'm'));
  });
});
