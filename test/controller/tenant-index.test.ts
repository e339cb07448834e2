import { describe, expect, test } from 'vitest';
import { createTenantIndex, oldestTenant } from '../../src/controller/tenant-index.ts';
import { tenantWith } from './tenant-fixture.ts';

describe('the index of tenant ids', () => {
  test('knows who bears an id, and whom it wakes once it is free', () => {
    const index = createTenantIndex();
    expect(index.put('a/one', 'acme')).toEqual([]);
    expect(index.put('a/two', 'acme')).toEqual([]);
    expect(index.put('a/two', 'acme')).toEqual([]);
    expect(index.keysOf('acme')).toEqual(['a/one', 'a/two']);
    expect(index.put('a/one', 'other')).toEqual(['a/two']);
    expect(index.keysOf('other')).toEqual(['a/one']);
    expect(index.remove('a/two')).toEqual([]);
    expect(index.keysOf('acme')).toEqual([]);
  });

  test('wakes those who shared the id of a deleted Tenant', () => {
    const index = createTenantIndex();
    index.put('a/one', 'acme');
    index.put('a/two', 'acme');
    expect(index.remove('a/one')).toEqual(['a/two']);
    expect(index.remove('a/one')).toEqual([]);
    expect(index.remove('a/never')).toEqual([]);
  });
});

describe('the index of Secrets and ConfigMaps', () => {
  const names = (Secret: string[] = [], ConfigMap: string[] = []) => ({ Secret, ConfigMap });

  test('knows the readers of each in a namespace', () => {
    const index = createTenantIndex();
    index.setSources('a/one', 'a', names(['db', 'db', 'regcred'], ['settings']));
    index.setSources('a/two', 'a', names(['db'], ['db']));
    index.setSources('b/one', 'b', names(['db']));
    expect(index.readersOf('Secret', 'a', 'db')).toEqual(['a/one', 'a/two']);
    expect(index.readersOf('Secret', 'b', 'db')).toEqual(['b/one']);
    expect(index.readersOf('Secret', 'a', 'regcred')).toEqual(['a/one']);
    expect(index.readersOf('Secret', 'a', 'none')).toEqual([]);
    expect(index.readersOf('ConfigMap', 'a', 'db')).toEqual(['a/two']);
    expect(index.readersOf('ConfigMap', 'a', 'settings')).toEqual(['a/one']);
    expect(index.readersOf('Secret', 'a', 'settings')).toEqual([]);
  });

  test('forgets what is no longer read, and readers that are gone', () => {
    const index = createTenantIndex();
    index.put('a/one', 'acme');
    index.setSources('a/one', 'a', names(['db', 'old'], ['old']));
    index.setSources('a/one', 'a', names(['db']));
    expect(index.readersOf('Secret', 'a', 'old')).toEqual([]);
    expect(index.readersOf('ConfigMap', 'a', 'old')).toEqual([]);
    index.setSources('a/two', 'a', names(['db']));
    index.remove('a/one');
    expect(index.readersOf('Secret', 'a', 'db')).toEqual(['a/two']);
    index.setSources('a/two', 'a', names());
    expect(index.readersOf('Secret', 'a', 'db')).toEqual([]);
  });
});

describe('of several Tenants with one id', () => {
  const tenant = (name: string, creationTimestamp: string, namespace = 'a') =>
    tenantWith(undefined, { name, namespace, creationTimestamp });
  const owner = (...tenants: ReturnType<typeof tenant>[]) => oldestTenant(tenants)?.metadata.name;

  test('the oldest has it, in whatever order they come', () => {
    const [old, young] = [tenant('z', '2026-01-01T00:00:00Z'), tenant('a', '2026-01-01T00:00:01Z')];
    expect([owner(old, young), owner(young, old)]).toEqual(['z', 'z']);
  });

  test('of one second, the first by namespace and name has it', () => {
    const at = '2026-01-01T00:00:00Z';
    const [first, second] = [tenant('a', at), tenant('b', at)];
    expect([owner(first, second), owner(second, first)]).toEqual(['a', 'a']);
    const elsewhere = tenant('z', at, 'A');
    expect([owner(first, elsewhere), owner(elsewhere, first)]).toEqual(['z', 'z']);
  });

  test('nobody has what nobody claims', () => {
    expect(oldestTenant([])).toBeUndefined();
  });
});
