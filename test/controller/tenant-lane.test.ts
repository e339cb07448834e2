import { expect, test } from 'vitest';
import type { Tenant } from '../../src/api/tenant.ts';
import { createTenantLanes } from '../../src/controller/tenant-lane.ts';
import { scriptedProvider } from './scripted-provider.ts';
import { statusOf, tenantWith } from './tenant-fixture.ts';

const docker = scriptedProvider('docker');
const ecs = scriptedProvider('ecs');
ecs.enabled.provider.domainOf = ({ config, placement }) => {
  const { place = 'home' } = (config ?? placement) as { readonly place?: string };
  return place === 'nowhere' ? undefined : place;
};
Object.assign(ecs.enabled.definition, { labelled: { place: 'landlord.dev/engine' } });
const laneOf = createTenantLanes(
  new Map([docker, ecs].map((one) => [one.enabled.definition.name, one.enabled])),
);

const at = (place: string, provider = 'ecs') =>
  statusOf('True', 'Running', { placement: { provider, place } });
const on = (provider: string, place?: string) => ({
  computeProvider: provider,
  computeConfig: { [provider]: place === undefined ? {} : { place } },
});
const gone = { deletionTimestamp: '2026-01-01T00:00:00Z' };

test.each<[string, Tenant | undefined, string]>([
  ['of nobody', undefined, ''],
  ['of one for which no provider can be told', tenantWith(), ''],
  ['of one whose provider has one domain', tenantWith(undefined, {}, on('docker', 'a')), 'docker'],
  ['of one without a place yet', tenantWith(undefined, {}, on('ecs', 'a')), 'ecs a'],
  [
    'of one whose label says where',
    tenantWith(undefined, { labels: { 'landlord.dev/engine': 'a' } }, on('ecs')),
    'ecs a',
  ],
  ['of one that takes what the operator has', tenantWith(undefined, {}, on('ecs')), 'ecs home'],
  ['of one that moves: where it goes', tenantWith(at('a'), {}, on('ecs', 'b')), 'ecs b'],
  ['of one that comes from another provider', tenantWith(at('a', 'docker'), {}, on('ecs', 'b')), 'ecs b'],
  [
    'of one that asks for what is nowhere: where it is',
    tenantWith(at('a'), {}, on('ecs', 'nowhere')),
    'ecs a',
  ],
  [
    'of one that asks for what is nowhere, and is nowhere',
    tenantWith(undefined, {}, on('ecs', 'nowhere')),
    'ecs',
  ],
  [
    'of one that is suspended: where it is',
    tenantWith(at('a'), {}, { ...on('ecs', 'b'), suspend: true }),
    'ecs a',
  ],
  ['of one that goes: where it is', tenantWith(at('a'), gone, on('docker')), 'ecs a'],
  ['of one that goes and is nowhere', tenantWith(undefined, gone, on('ecs', 'a')), ''],
  ['of one that goes from a provider of before', tenantWith(at('a', 'k8s'), gone), 'k8s'],
  [
    'of one whose block is none',
    tenantWith(undefined, {}, { computeProvider: 'ecs', computeConfig: 7 }),
    'ecs home',
  ],
])('the lane %s', (_what, tenant, lane) => {
  expect(laneOf(tenant)).toBe(lane);
  expect(laneOf(tenant)).toBe(lane);
});
