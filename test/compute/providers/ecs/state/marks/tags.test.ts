import { expect, test } from 'vitest';
import { tagMap } from '../../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import { settings } from '../../ecs-fixture.ts';

const { ownership } = settings({ adopt_clusters: ['cluster-0'] });
const tenant = { namespace: 'team-a', name: 'shop', uid: 'u' };
const tags = ownership.of({ tenantId: 'acme', tenant });

test.each([
  [{}, true],
  [{ 'landlord.tenant_uid': 'another' }, true],
  [{ 'landlord.cluster': 'cluster-0' }, true],
  [{ 'landlord.cluster': 'cluster-9' }, false],
  [{ 'landlord.owner': 'other' }, false],
  [{ 'landlord.tenant_namespace': 'team-b' }, false],
  [{ 'landlord.tenant_name': 'other' }, false],
])('with the tags %j over its own it is the tenant’s: %j', (over, isIts) => {
  expect(ownership.belongsTo(tenant, { ...tags, ...over })).toBe(isIts);
});

test('tags without a key or a value are empty texts, and no tags are none', () => {
  expect(tagMap([{ key: 'a' }, { value: 'b' }, { key: 'c', value: 'd' }])).toEqual({
    a: '',
    '': 'b',
    c: 'd',
  });
  expect(tagMap(undefined)).toEqual({});
});
