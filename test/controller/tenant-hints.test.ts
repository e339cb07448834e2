import { expect, test } from 'vitest';
import type { Tenant } from '../../src/api/tenant.ts';
import type { EnabledProviders } from '../../src/compute/selection/enabled-providers.ts';
import { createTenantHints } from '../../src/controller/tenant-hints.ts';
import { createTenantIndex } from '../../src/controller/tenant-index.ts';
import { createTenantMemories } from '../../src/controller/tenant-memory.ts';
import { keyOf } from '../../src/kube/client/kube-object.ts';
import { scriptedProvider } from './scripted-provider.ts';
import { statusOf, tenantWith } from './tenant-fixture.ts';

/** Hints over Tenants of which `known` are there, and what they ask of the queue. */
function hintsOver(known: readonly Tenant[] = [], hasTold = true, providers: EnabledProviders = new Map()) {
  const asked: string[] = [];
  const byKey = new Map(known.map((tenant) => [keyOf(tenant), tenant]));
  const index = createTenantIndex();
  for (const tenant of known) index.put(keyOf(tenant), tenant.metadata.name);
  const hints = createTenantHints({
    index,
    memories: createTenantMemories(),
    queue: {
      add: (key, { urgency = 'hint', withinMs = 0 } = {}) =>
        void asked.push([urgency, key, ...(withinMs > 0 ? [`within ${withinMs}`] : [])].join(' ')),
      addAfter: (key, ms) => void asked.push(`after ${ms} ${key}`),
      forget: () => undefined,
    },
    tenants: {
      get: (namespace, name) => byKey.get(`${namespace}/${name}`),
      values: () => byKey.values(),
      size: byKey.size,
    },
    hasTold: () => hasTold,
    departures: { note: () => false },
    rollouts: { note: () => undefined, forget: () => undefined },
    providers,
    now: () => new Date('2026-01-01T00:00:00Z'),
  });
  return { hints, asked };
}

const ready = statusOf('True', 'Running');

test.each<[string, Tenant, string]>([
  ['is Ready', tenantWith(ready), 'sweep'],
  ['is not Ready', tenantWith(statusOf('False', 'ProvisionFailed')), 'retry'],
  ['was changed meanwhile', tenantWith({ ...ready, observedGeneration: 1 }), 'hint'],
  [
    'was asked to be looked at meanwhile',
    tenantWith(ready, { annotations: { 'landlord.dev/reconcile-requested-at': 'now' } }),
    'hint',
  ],
  ['came meanwhile', tenantWith(), 'hint'],
  ['is being deleted', tenantWith(ready, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'hint'],
])('at the start, one that %s is looked at as a %s', (_what, object, urgency) => {
  const { hints, asked } = hintsOver([], false);
  hints.onTenant({ type: 'added', object });
  expect(asked).toEqual([`${urgency} team-a/acme`]);
});

test('once all are known, whatever somebody does is a change; a status of somebody else is none', () => {
  const before = tenantWith(ready);
  const { hints, asked } = hintsOver([before]);
  hints.onTenant({ type: 'added', object: tenantWith() });
  hints.onTenant({ type: 'updated', previous: before, object: tenantWith(ready, { generation: 3 }) });
  const doomed = tenantWith(ready, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  hints.onTenant({ type: 'updated', previous: before, object: doomed });
  hints.onTenant({ type: 'updated', previous: before, object: tenantWith(statusOf('False', 'Unhealthy')) });
  expect(asked).toEqual([
    'change team-a/acme',
    'change team-a/acme',
    'change team-a/acme',
    'hint team-a/acme',
  ]);
});

test('an engine that is back, or out of reach, is looked at by and by, and what happens on it at once', () => {
  const fleet = Array.from({ length: 500 }, (_, index) => tenantWith(ready, { name: `tenant-${index}` }));
  const { hints, asked } = hintsOver(fleet);
  hints.onProvider('docker', undefined);
  expect(new Set(asked.map((line) => line.replace(/tenant-\d+/, 'N')))).toEqual(
    new Set(['sweep team-a/N within 5000']),
  );
  expect(asked).toHaveLength(500);
  asked.length = 0;
  hints.onProvider('docker', 'tenant-7', 'contact');
  hints.onProvider('docker', 'tenant-7');
  expect(asked).toEqual(['sweep team-a/tenant-7 within 5000', 'hint team-a/tenant-7']);
});

test('of ten thousand, none waits longer than half a minute for its turn', () => {
  const fleet = Array.from({ length: 10_000 }, (_, index) => tenantWith(ready, { name: `tenant-${index}` }));
  const { hints, asked } = hintsOver(fleet);
  hints.onProvider('docker', undefined);
  expect(asked[0]).toBe('sweep team-a/tenant-0 within 30000');
});

test('what happens in one domain is a hint at the Tenants there, and at those of which nobody knows where they are', () => {
  const { enabled } = scriptedProvider('docker');
  enabled.provider.domainOf = ({ placement }) => placement?.['place'] as string | undefined;
  const at = (name: string, ...places: (string | undefined)[]) => {
    const [placement, ...previousPlacements] = places.map((place) => ({ provider: 'docker', place }));
    return tenantWith(statusOf('True', 'Running', { placement, previousPlacements }), { name });
  };
  const fleet = [at('here', 'a'), at('there', 'b'), at('moves', 'b', 'a'), at('anywhere', undefined)];
  const { hints, asked } = hintsOver(fleet, true, new Map([['docker', enabled]]));
  hints.onProvider('docker', undefined, undefined, 'a');
  expect(asked.map((line) => line.split(' ')[1])).toEqual(['team-a/here', 'team-a/moves', 'team-a/anywhere']);
});
