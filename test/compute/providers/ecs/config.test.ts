import { describe, expect, test } from 'vitest';
import { explainIssues } from '../../../../src/api/explain-issues.ts';
import {
  ecsMergedBlock,
  ecsOperatorBlock,
  ecsPolicyBlock,
} from '../../../../src/compute/providers/ecs/config.ts';
import { documentedEcsConfig } from '../../../api/manifests.ts';

const { cluster_arn, task_definition_arn, service_name_prefix } = documentedEcsConfig;
const required = { cluster_arn, task_definition_arn, service_name_prefix };

function refusal(
  schema: typeof ecsMergedBlock | typeof ecsOperatorBlock | typeof ecsPolicyBlock,
  value: unknown,
): string {
  const parsed = schema.safeParse(value);
  return parsed.success ? 'taken' : explainIssues(parsed.error, 'ecs');
}

describe('the blocks of ecs', () => {
  test("take the documented compute_config, merged and as the operator's", () => {
    expect(refusal(ecsMergedBlock, documentedEcsConfig)).toBe('taken');
    expect(refusal(ecsOperatorBlock, documentedEcsConfig)).toBe('taken');
  });

  test.each([
    ['cluster_arn', { ...required, cluster_arn: undefined }, 'ecs.cluster_arn: is required'],
    [
      'task_definition_arn',
      { ...required, task_definition_arn: undefined },
      'ecs.task_definition_arn: is required',
    ],
    [
      'a name of the service',
      { ...required, service_name_prefix: undefined },
      'ecs.service_name_prefix: is required where service_name is not given: one of them names the service',
    ],
  ])('need %s, in the operator’s block as in the merged one', (_what, block, message) => {
    expect(refusal(ecsMergedBlock, block)).toBe(message);
    expect(refusal(ecsOperatorBlock, block)).toBe(message);
  });

  test.each([
    [true, 37, 'taken'],
    [false, 38, 'taken'],
    [true, 38, 'ecs.tags: must have at most 37 entries where drain is true: it takes a tag of its own'],
  ])('with drain %j and %i tags: %s', (drain, count, message) => {
    const tags = Object.fromEntries(Array.from({ length: count }, (_none, index) => [`key-${index}`, 'x']));
    expect(refusal(ecsMergedBlock, { ...required, drain, tags })).toBe(message);
    expect(refusal(ecsOperatorBlock, { ...required, drain, tags })).toBe(message);
  });

  test.each(['us-west-2', 'us-gov-west-1', 'ap-southeast-4', 'eusc-de-east-1'])(
    'take the region %s',
    (region) => {
      expect(refusal(ecsMergedBlock, { ...required, region })).toBe('taken');
    },
  );

  test.each([
    'us-west-2.evil.example',
    'evil.example/x?',
    'us-west-2\n',
    'us-west-2@evil',
    '-west-2',
    'us-west-200',
  ])('refuse the region %j, which would lead to another host', (region) => {
    expect(refusal(ecsMergedBlock, { ...required, region })).toBe(
      'ecs.region: must be a region such as us-west-2',
    );
  });

  test('take a service_name instead of a prefix', () => {
    expect(refusal(ecsMergedBlock, { cluster_arn, task_definition_arn, service_name: 'one' })).toBe('taken');
  });

  test.each([
    ['endpoint', { ...required, endpoint: 'nowhere' }, /^ecs\.endpoint: must be a URL/],
    ['events_queue_url', { ...required, events_queue_url: 'queue' }, /^ecs\.events_queue_url: must be a URL/],
    ['an unknown key', { ...required, cluster: 'x' }, /^ecs\.cluster: is not a known key$/],
  ])('refuse a bad %s of the operator', (_what, block, message) => {
    expect(refusal(ecsOperatorBlock, block)).toMatch(message);
  });

  test('keep what only the operator may say out of the merged block', () => {
    expect(refusal(ecsMergedBlock, { ...required, endpoint: 'https://ecs.example' })).toBe(
      'ecs.endpoint: is not a known key',
    );
  });

  test('take roles with external id and session name, which are the operator’s alone, in the policy', () => {
    const role = {
      role_arn: 'arn:aws:iam::123456789012:role/tenant',
      external_id: 'x-1',
      session_name: 'landlord',
    };
    expect(refusal(ecsPolicyBlock, { allowed_roles: [role] })).toBe('taken');
    expect(refusal(ecsPolicyBlock, { allowed_roles: [{ ...role, role_arn: 'tenant' }] })).toMatch(
      /^ecs\.allowed_roles\[0\]\.role_arn: must be a role ARN/,
    );
    expect(ecsPolicyBlock.parse({})).toEqual({
      allow_capabilities: [],
      allow_sysctls: expect.arrayContaining(['net.core.somaxconn']),
      allowed_clusters: [],
      allowed_regions: [],
      allowed_roles: [],
      allowed_task_definitions: [],
      allowed_subnets: [],
      allowed_security_groups: [],
      allowed_launch_types: [],
      allowed_listeners: [],
      allowed_host_headers: [],
      allowed_tag_keys: [],
      allowed_service_names: [],
      allowed_service_name_prefixes: [],
      max_desired_count: 100,
      overlay_containers: [],
      allowed_keys: [],
      allowed_target_groups: [],
      allowed_listener_rules: [],
      allowed_service_registries: [],
      allowed_service_connect_namespaces: [],
      allowed_capacity_providers: [],
      allowed_alarms: [],
      allowed_infrastructure_roles: [],
      allowed_task_roles: [],
      allowed_execution_roles: [],
      allowed_snapshots: [],
      allowed_kms_keys: [],
      foreign_services: [],
      max_deployment_percent: 200,
    });
  });
});

test.each([
  [1, 'taken'],
  [0.05, 'taken'],
  [0, 'ecs.api_rate_share: must be at least 0.05'],
  [1.5, 'ecs.api_rate_share: must be at most 1'],
])('a share of %s of the rates is %s', (api_rate_share, message) => {
  expect(refusal(ecsOperatorBlock, { ...required, api_rate_share })).toBe(message);
});
