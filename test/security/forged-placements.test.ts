import { describe, expect, test } from 'vitest';
import { ecsProvider } from '../../src/compute/providers/ecs/provider.ts';
import { anyPermit } from '../compute/permits.ts';
import { context, openPolicy, settings } from '../compute/providers/ecs/ecs-fixture.ts';
import { clusterArn, memoryEcs } from '../compute/providers/ecs/memory-ecs.ts';

/** Whoever may write a Tenant's status names the places that are looked at and emptied. */
const { signal } = new AbortController();
const whose = { tenantId: 'acme', namespace: 'team-a', name: 'acme' };
const arn = (account: string, kind: 'role' | 'cluster', name: string) =>
  kind === 'role'
    ? `arn:aws:iam::${account}:role/${name}`
    : `arn:aws:ecs:us-west-2:${account}:cluster/${name}`;
const own = '123456789012';
const foreign = '999999999999';

function ecs() {
  const api = memoryEcs();
  const { block, policy } = settings({}, { allowed_roles: [{ role_arn: arn(own, 'role', 'listed') }] });
  const namespaces = [
    { names: ['team-b'], ecs: { allowed_clusters: [arn('222222222222', 'cluster', 'b')] } },
  ];
  const provider = ecsProvider(api, block, policy, context({ policy: { ...openPolicy, namespaces } }));
  return { api, provider };
}

const place = { provider: 'ecs', region: 'us-west-2', cluster: clusterArn, service: 'landlord-tenant-acme' };

describe('a placement on ECS that the operator can not have written leads to no call at all', () => {
  test.each<[string, object]>([
    ['a region that is a host', { region: 'evil.example/x?' }],
    ['a region with a port', { region: 'us-west-2.evil.example:80' }],
    ['a region with credentials', { region: 'a@evil.example#' }],
    ['an empty region', { region: '' }],
    ['a region in capitals', { region: 'US-WEST-2' }],
    ['a region of two lines', { region: 'us-west-2\nx' }],
    ['a region that is no text', { region: ['us-west-2'] }],
    ['a cluster that is no ARN', { cluster: 'default' }],
    ["another account's cluster", { cluster: arn(foreign, 'cluster', 'landlord') }],
    [
      "another account's cluster and role",
      {
        cluster: arn(foreign, 'cluster', 'landlord'),
        roleArn: arn(foreign, 'role', 'any'),
      },
    ],
    ["another account's role", { roleArn: arn(foreign, 'role', 'any') }],
    ['a role that is no ARN', { roleArn: 'arn:aws:iam::999:role/any' }],
    ['a role that is no text', { roleArn: {} }],
    ['a service that is a path', { service: '../landlord-tenant-acme' }],
    ['a service that is empty', { service: '' }],
  ])('%s', async (_what, forged) => {
    const { api, provider } = ecs();
    const at = { ...whose, placement: { ...place, ...forged } };
    await expect(provider.destroy(at, anyPermit, signal)).rejects.toMatchObject({ code: 'DestroyFailed' });
    await expect(provider.getStatus(at, undefined, { fresh: true, signal })).rejects.toMatchObject({
      code: 'ProviderUnavailable',
    });
    expect(api.calls).toEqual([]);
  });
});

describe('a place that was made under another config or policy is emptied all the same', () => {
  test.each<[string, object]>([
    ['the one of now', {}],
    ['another region', { region: 'eu-west-1' }],
    ['another cluster of the account', { cluster: arn(own, 'cluster', 'before') }],
    ['a role on the list', { roleArn: arn(own, 'role', 'listed') }],
    ['a role that is no longer on it', { roleArn: arn(own, 'role', 'before') }],
    ["the account of another namespace's cluster", { cluster: arn('222222222222', 'cluster', 'before') }],
  ])('%s', async (_what, before) => {
    const { provider } = ecs();
    const at = { ...whose, placement: { ...place, ...before } };
    expect((await provider.destroy(at, anyPermit, signal)).outcome).toBe('gone');
  });
});
