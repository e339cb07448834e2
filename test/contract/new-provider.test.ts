import { describe, expect, test, vi } from 'vitest';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { providerDefinitions, tenantBlocks } from '../../src/compute/registry.ts';
import type { ProviderDefinition } from '../../src/compute/provider.ts';
import { operatorConfigSchema } from '../../src/config/operator-config.ts';
import { folderDefinition } from './folder-provider/definition.ts';
import { contractCases } from './folder-provider/contract-harness.ts';
import { describeProviderContract } from './provider-contract.ts';

/** A provider that nobody knows of yet: one small folder, and one line in the registry, which is this one. */
vi.mock('../../src/compute/registry.ts', async (importOriginal) => {
  const original = await importOriginal<{ providerDefinitions: readonly ProviderDefinition[] }>();
  const { folderDefinition } = await import('./folder-provider/definition.ts');
  const providerDefinitions = [...original.providerDefinitions, folderDefinition];
  const tenantBlocks = Object.fromEntries(
    providerDefinitions.map(({ name, tenantBlock }) => [name, tenantBlock]),
  );
  return { providerDefinitions, tenantBlocks };
});

describe('with one folder and one line in the registry', () => {
  test('a Tenant may have a block for the new provider, with nothing but its keys', () => {
    const schema = tenantSpecSchema(tenantBlocks);
    expect(schema.safeParse({ computeConfig: { folder: { greeting: 'hi' } } }).success).toBe(true);
    expect(schema.safeParse({ computeConfig: { folder: { greetings: 'hi' } } }).success).toBe(false);
    expect(schema.safeParse({ computeConfig: { folders: {} } }).success).toBe(false);
  });

  test("the operator's config takes its block, and says what is missing in it", () => {
    expect(providerDefinitions).toContain(folderDefinition);
    const config = operatorConfigSchema(providerDefinitions);
    expect(config.safeParse({ compute: { folder: { path: '/tenants' } } }).success).toBe(true);
    expect(config.safeParse({ compute: { folder: {} } }).error?.issues[0]?.path).toEqual([
      'compute',
      'folder',
      'path',
    ]);
  });
});

for (const { name, makeHarness } of contractCases)
  describeProviderContract(name, folderDefinition, makeHarness);
