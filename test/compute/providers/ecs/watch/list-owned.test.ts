import type { Service } from '@aws-sdk/client-ecs';
import { expect, test } from 'vitest';
import { listOwned } from '../../../../../src/compute/providers/ecs/watch/list-owned.ts';
import { tagList } from '../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import { settings } from '../ecs-fixture.ts';
import { clusterArn, memoryEcs } from '../memory-ecs.ts';

const signal = new AbortController().signal;
const { ownership } = settings({ adopt_clusters: ['cluster-0'] });
const place = { scope: { region: 'us-west-2' }, cluster: clusterArn };
const tags = tagList(
  ownership.of({ tenantId: 'acme', tenant: { namespace: 'team-a', name: 'shop', uid: 'u' } }),
);
const without = (key: string) => tags.filter((tag) => tag.key !== `landlord.${key}`);
const withTag = (key: string, value: string) => [...without(key), { key: `landlord.${key}`, value }];

function listed(services: Record<string, Partial<Service>>, known: Record<string, Service> = {}) {
  const ecs = memoryEcs();
  for (const [serviceName, over] of Object.entries(services)) {
    ecs.services.set(serviceName, { serviceName, status: 'ACTIVE', tags, ...over });
  }
  const lastSeen = ({ service }: { service: string }) => known[service];
  return { ecs, owned: listOwned({ api: ecs, ownership, hasGroups: false, lastSeen }, place, signal) };
}

test('a service of ours is listed by its tenant and its own name', async () => {
  expect(await listed({ a: {} }).owned).toEqual([
    {
      tenantId: 'acme',
      namespace: 'team-a',
      name: 'shop',
      resource: 'service a',
      isData: false,
      placement: { provider: 'ecs', ...place.scope, cluster: place.cluster, service: 'a' },
    },
  ]);
});

test.each<[what: string, tags: Service['tags'], count: number]>([
  ['of a cluster that is adopted', withTag('cluster', 'cluster-0'), 1],
  ['not of another cluster', withTag('cluster', 'cluster-9'), 0],
  ['not of another instance', withTag('owner', 'other'), 0],
  ['not without a cluster', without('cluster'), 0],
  ['not without a tenant', without('tenant_id'), 0],
  ['not without tags', undefined, 0],
])('a service is listed %s', async (_what, those, count) => {
  expect(await listed({ a: { tags: those } }).owned).toHaveLength(count);
});

test('a tenant whose name the tags lack is listed without it', async () => {
  const those = without('tenant_namespace').filter(({ key }) => key !== 'landlord.tenant_name');
  expect(await listed({ a: { tags: those } }).owned).toMatchObject([{ namespace: '', name: '' }]);
});

test('ECS is asked, as for a sweep, for those alone that nobody has seen', async () => {
  const { ecs, owned } = listed({ a: {}, b: {}, c: {} }, { b: { serviceName: 'b', status: 'ACTIVE', tags } });
  expect(await owned).toHaveLength(3);
  expect(ecs.calls).toEqual([
    { name: 'describeService', input: 'sweep' },
    { name: 'describeService', input: 'sweep' },
  ]);
});

test('what is gone by now is not listed', async () => {
  const gone = { serviceName: 'a', status: 'INACTIVE', tags };
  expect(await listed({ a: {} }, { a: gone }).owned).toEqual([]);
  const api = { ...memoryEcs(), describeService: async () => 'cluster-gone' as const };
  api.services.set('a', { serviceName: 'a', status: 'ACTIVE', tags });
  expect(
    await listOwned({ api, ownership, hasGroups: false, lastSeen: () => undefined }, place, signal),
  ).toEqual([]);
});

test('a list that nobody waits for asks nothing', async () => {
  const ecs = memoryEcs();
  const stopped = AbortSignal.abort(new Error('stop'));
  await expect(
    listOwned({ api: ecs, ownership, hasGroups: false, lastSeen: () => undefined }, place, stopped),
  ).rejects.toThrow('stop');
});
