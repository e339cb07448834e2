import { describe, expect, test } from 'vitest';
import { providerDefinitions, tenantBlocks } from '../../src/compute/registry.ts';

describe('the registry', () => {
  test('has the three providers, each once', () => {
    expect(providerDefinitions.map(({ name }) => name)).toEqual(['docker', 'ecs', 'mock']);
    expect(Object.keys(tenantBlocks)).toEqual(['docker', 'ecs', 'mock']);
  });

  test.each(providerDefinitions.map((definition) => ({ name: definition.name, definition })))(
    '$name takes an empty tenant block: all of its keys are optional',
    ({ definition }) => {
      expect(definition.tenantBlock.safeParse({}).success).toBe(true);
      expect(definition.policyBlock.safeParse({}).success).toBe(true);
    },
  );
});
