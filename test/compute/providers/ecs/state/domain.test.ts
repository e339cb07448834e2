import { expect, test } from 'vitest';
import { ecsDomains } from '../../../../../src/compute/providers/ecs/state/domain.ts';
import { settings } from '../ecs-fixture.ts';

const { block, policy } = settings();
const [own, other] = ['arn:aws:iam::123456789012:role/own', 'arn:aws:iam::210987654321:role/other'];
const farCluster = 'arn:aws:ecs:eu-central-1:123456789012:cluster/far';
const domainOf = ecsDomains(
  { ...block, cluster_arn: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord', region: undefined },
  {
    ...policy,
    allowed_clusters: [farCluster],
    allowed_regions: ['us-east-1'],
    allowed_roles: [{ role_arn: other }],
  },
);
const cluster_arn = block.cluster_arn;

test.each<[string, Parameters<typeof domainOf>[0], string | undefined]>([
  ["the operator's region", { config: { cluster_arn } }, 'us-west-2 '],
  ['a region by name', { config: { cluster_arn, region: 'us-east-1' } }, 'us-east-1 '],
  ["the cluster's region", { config: { cluster_arn: farCluster } }, 'eu-central-1 '],
  ['a role', { config: { cluster_arn, assume_role: { role_arn: other } } }, `us-west-2 ${other}`],
  ['a place', { placement: { provider: 'ecs', region: 'us-east-1', roleArn: other } }, `us-east-1 ${other}`],
  ['no place', {}, undefined],
  ['a region that nobody may name', { config: { cluster_arn, region: 'made-up-1' } }, undefined],
  ['a role that nobody may name', { config: { cluster_arn, assume_role: { role_arn: own } } }, undefined],
  ['a place that is none of the config', { placement: { provider: 'ecs', region: 'made-up-1' } }, undefined],
  ['what is no config', { config: { cluster_arn: 7, region: {}, assume_role: 'role' } }, undefined],
])('the domain of %s', (_what, at, domain) => {
  expect(domainOf(at)).toBe(domain);
});

test("each role of the operator's config is a domain of its own", () => {
  const withRole = ecsDomains({ ...block, assume_role: { role_arn: own } }, policy);
  expect(withRole({ config: { cluster_arn, assume_role: { role_arn: own } } })).toContain(own);
});
