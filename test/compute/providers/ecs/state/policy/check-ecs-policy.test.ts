import { describe, expect, test } from 'vitest';
import { checkEcsPolicy } from '../../../../../../src/compute/providers/ecs/state/policy/check-ecs-policy.ts';
import { desireCapacity } from '../../../../../../src/compute/providers/ecs/state/service/capacity.ts';
import { checkSize } from '../../../../../../src/compute/providers/ecs/state/policy/tasks-size.ts';
import { settings, tenantSpec } from '../../ecs-fixture.ts';
import { baseArn, clusterArn } from '../../memory-ecs.ts';

const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
const elsewhere = clusterArn.replace('us-west-2', 'eu-west-1');
const family = baseArn.replace(/:12$/, '');
const other = (rest: string) => baseArn.replace('tenant-app:12', rest);

interface Case {
  readonly config?: Record<string, unknown>;
  readonly region?: string;
  readonly block?: Record<string, unknown>;
  readonly policy?: Record<string, unknown>;
}

function told({ config = {}, region = 'us-west-2', block = {}, policy = {} }: Case): string {
  const operator = settings(block, policy);
  try {
    const merged = tenantSpec(config).config;
    checkEcsPolicy({
      config: merged,
      capacity: desireCapacity(merged, operator.block),
      region,
      tenantId: 'acme',
      block: operator.block,
      policy: operator.policy,
    });
    return 'taken';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a tenant may name', () => {
  test.each<[what: string, asked: Case]>([
    [
      'the operator’s region, though its cluster’s is another',
      { region: 'eu-west-1', block: { region: 'eu-west-1' } },
    ],
    [
      'the region of its cluster',
      { config: { cluster_arn: elsewhere }, region: 'eu-west-1', policy: { allowed_clusters: [elsewhere] } },
    ],
    ['a region on the list', { region: 'eu-west-1', policy: { allowed_regions: ['eu-west-1'] } }],
    [
      'the operator’s role',
      { config: { assume_role: { role_arn: role('a') } }, block: { assume_role: { role_arn: role('a') } } },
    ],
    [
      'a role on the list',
      {
        config: { assume_role: { role_arn: role('a') } },
        policy: { allowed_roles: [{ role_arn: role('a') }] },
      },
    ],
    ['no role', {}],
    [
      'a family on the list by its name',
      { config: { task_definition_arn: other('web:3') }, policy: { allowed_task_definitions: ['web'] } },
    ],
    [
      'a family on the list by its ARN',
      {
        config: { task_definition_arn: other('web:3') },
        policy: { allowed_task_definitions: [other('web')] },
      },
    ],
    [
      'a revision on the list',
      {
        config: { task_definition_arn: other('web:3') },
        policy: { allowed_task_definitions: [other('web:3')] },
      },
    ],
    [
      'a revision of the operator’s family',
      { config: { task_definition_arn: `${family}:99` }, block: { task_definition_arn: family } },
    ],
    ['a tag', { config: { tags: { landlord: 'x', aws: 'y', 'team:aws:': 'z' } } }],
  ])('%s', (_what, asked) => {
    expect(told(asked)).toBe('taken');
  });
});

describe('a tenant may not name', () => {
  test.each<[what: string, asked: Case, message: string]>([
    [
      'a second subnet that is not allowed',
      { config: { subnets: ['subnet-1', 'subnet-2'] }, block: { subnets: ['subnet-1'] } },
      'policy.ecs.allowed_subnets: subnet subnet-2',
    ],
    [
      'the region of the operator’s cluster where the operator is elsewhere',
      {
        block: { region: 'eu-west-1' },
        config: { cluster_arn: elsewhere },
        policy: { allowed_clusters: [elsewhere] },
        region: 'us-west-2',
      },
      'policy.ecs.allowed_regions: region us-west-2',
    ],
    [
      'another role than the operator’s',
      { config: { assume_role: { role_arn: role('b') } }, block: { assume_role: { role_arn: role('a') } } },
      `policy.ecs.allowed_roles: role ${role('b')}`,
    ],
    [
      'another revision than the one on the list',
      {
        config: { task_definition_arn: other('web:4') },
        policy: { allowed_task_definitions: [other('web:3')] },
      },
      `policy.ecs.allowed_task_definitions: task definition ${other('web:4')}`,
    ],
    [
      'a family that starts like one on the list',
      {
        config: { task_definition_arn: other('web-admin:1') },
        policy: { allowed_task_definitions: ['web'] },
      },
      `policy.ecs.allowed_task_definitions: task definition ${other('web-admin:1')}`,
    ],
    [
      'tags of Landlord',
      { config: { tags: { 'Landlord.x': 'y' } } },
      'policy.ecs: tag Landlord.x starts with landlord., which marks the owner',
    ],
  ])('%s', (_what, asked, message) => {
    expect(told(asked)).toMatch(new RegExp(`^${message.replaceAll(/[.*+?()[\]]/g, String.raw`\$&`)}`));
  });
});

describe('what all tasks use together is bounded', () => {
  const bounded = {
    allowed_images: ['*'],
    max_resources: { cpu: '1', memory: '1Gi' },
    default_resources: { cpu: '', memory: '' },
  };
  const app = (cpu: string, memory: string) => [{ name: 'app', image: 'app:1', resources: { cpu, memory } }];
  test.each<[cpu: string, memory: string, tasks: number, rule: string | undefined]>([
    ['500m', '512Mi', 2, undefined],
    ['501m', '512Mi', 2, 'cpu'],
    ['500m', '513Mi', 2, 'memory'],
    ['1', '1Gi', 1, undefined],
    ['1', '1Gi', 0, undefined],
    ['2', '1Gi', 0, 'cpu'],
    ['100000', '1Gi', 5_000, 'cpu'],
    ['1', '9Pi', 1, 'memory'],
  ])('%s and %s in %i tasks: %s', (cpu, memory, tasks, rule) => {
    const check = () => checkSize(bounded, app(cpu, memory), tasks);
    const told = (() => {
      try {
        check();
        return undefined;
      } catch (error) {
        return /^policy\.max_resources\.(\w+)/.exec((error as Error).message)?.[1];
      }
    })();
    expect(told).toBe(rule);
  });

  test('and what is not named is not guessed', () => {
    const subjects = [{ name: 'app', image: 'app:1', resources: {} }];
    expect(() => checkSize(bounded, subjects, 1)).toThrow(/container app names no cpu limit/);
    const cpuOnly = {
      ...bounded,
      max_resources: { cpu: '1', memory: '' },
      default_resources: { cpu: '', memory: '' },
    };
    expect(() => checkSize(cpuOnly, [{ ...subjects[0]!, resources: { cpu: '1' } }], 1)).not.toThrow();
  });
});
