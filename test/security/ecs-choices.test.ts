import { describe, expect, test } from 'vitest';
import { ecsOperator } from './ecs-operator.ts';
import { baseArn, clusterArn } from '../compute/providers/ecs/memory-ecs.ts';

/** What a Tenant may choose of ECS unless the operator says more: what the documented example asks for, and no more. */

const asking = (ecs: Record<string, unknown>) => ({ computeConfig: { ecs } });

test('the example of the document is taken as it stands', async () => {
  const networks = { allowed_subnets: ['subnet-123', 'subnet-456'], allowed_security_groups: ['sg-123'] };
  const operator = ecsOperator({ policy: { ecs: networks } });
  const example = {
    cluster_arn: clusterArn,
    task_definition_arn: baseArn,
    desired_count: 1,
    launch_type: 'FARGATE',
    subnets: ['subnet-123', 'subnet-456'],
    security_groups: ['sg-123'],
    assign_public_ip: true,
    service_name_prefix: 'landlord-tenant-',
  };
  expect(await operator.apply(asking(example))).toBe('taken');
  expect(operator.ecs.calls.find(({ name }) => name === 'createService')?.input).toMatchObject({
    serviceName: 'landlord-tenant-team-a-acme-9201d5e7',
    launchType: 'FARGATE',
    desiredCount: 1,
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: ['subnet-123', 'subnet-456'],
        securityGroups: ['sg-123'],
        assignPublicIp: 'ENABLED',
      },
    },
  });
});

describe('a launch type', () => {
  type Case = [operators: string | undefined, listed: string[], tenants: string | null];
  const told = async (launch_type: Case[0], listed: string[], tenants: Case[2]) => {
    const operator = ecsOperator({
      block: { launch_type },
      policy: { ecs: { allowed_launch_types: listed } },
    });
    return { end: await operator.apply(asking({ launch_type: tenants })), calls: operator.ecs.calls };
  };

  test.each<Case>([
    [undefined, [], 'FARGATE'],
    [undefined, ['EC2'], 'EC2'],
    ['EC2', [], 'EC2'],
    ['EC2', ['FARGATE'], 'FARGATE'],
    [undefined, [], null],
  ])('where the operator names %s and lists %j may be %s', async (...of) => {
    expect((await told(...of)).end).toBe('taken');
  });

  test.each<[...Case, what: string]>([
    [undefined, [], 'EC2', 'launch type EC2 is not one'],
    [undefined, [], 'EXTERNAL', 'launch type EXTERNAL is not one'],
    ['EC2', [], 'FARGATE', 'launch type FARGATE is not one'],
    ['FARGATE', [], null, 'launch_type is unset'],
  ])('where the operator names %s and lists %j may not be %s', async (own, listed, tenants, what) => {
    const { end, calls } = await told(own, listed, tenants);
    expect(end).toMatch(new RegExp(String.raw`^PolicyDenied: policy\.ecs\.allowed_launch_types: ${what}`));
    expect(calls).toEqual([]);
  });
});

describe('a public address', () => {
  type Case = [operators: boolean | undefined, policy: object, tenants: boolean | null];
  const asked = async (assign_public_ip: Case[0], ecs: object, tenants: Case[2]) => {
    const operator = ecsOperator({ block: { subnets: ['subnet-1'], assign_public_ip }, policy: { ecs } });
    return { operator, told: await operator.apply(asking({ assign_public_ip: tenants })) };
  };

  test.each<[...Case, network: string]>([
    [undefined, {}, true, 'ENABLED'],
    [true, {}, true, 'ENABLED'],
    [false, { allow_public_ip: true }, true, 'ENABLED'],
    [undefined, { allow_public_ip: false }, false, 'DISABLED'],
    [true, { allow_public_ip: false }, true, 'ENABLED'],
    [true, {}, null, 'DISABLED'],
  ])('where the operator says %s and the policy %j: %s is %s', async (own, ecs, tenants, network) => {
    const { operator, told } = await asked(own, ecs, tenants);
    expect(told).toBe('taken');
    expect(operator.service()?.networkConfiguration?.awsvpcConfiguration?.assignPublicIp).toBe(network);
  });

  test.each<Case>([
    [false, {}, true],
    [undefined, { allow_public_ip: false }, true],
  ])('where the operator says %s and the policy %j is none', async (own, ecs, tenants) => {
    const { operator, told } = await asked(own, ecs, tenants);
    expect(told).toBe(
      'PolicyDenied: policy.ecs.allow_public_ip: assign_public_ip is true, and tenants may have no public addresses. ' +
        "Leave it out, or have the operator's admin allow it",
    );
    expect(operator.ecs.calls).toEqual([]);
  });
});

describe('a tag, which may carry rights and costs,', () => {
  const block = { tags: { CostCenter: 'platform', Env: 'prod' } };

  test.each<[what: string, tags: Record<string, string | null> | null]>([
    ['that the operator does not name', { team: 'a' }],
    ['of another value than the operator’s', { CostCenter: 'finance' }],
    ['of the operator’s that is unset', { Env: null }],
    ['in other case', { costcenter: 'finance' }],
    ['that is called like what every object has', { constructor: 'x' }],
    ['and all of them unset', null],
  ])('%s is refused', async (_what, tags) => {
    const operator = ecsOperator({ block });
    expect(await operator.apply(asking({ tags }))).toMatch(
      /^PolicyDenied: policy\.ecs\.allowed_tag_keys: tag /,
    );
    expect(operator.ecs.calls).toEqual([]);
  });

  test('of the operator’s own value is taken, and the others stay', async () => {
    const operator = ecsOperator({ block });
    expect(await operator.apply(asking({ tags: { Env: 'prod' } }))).toBe('taken');
    expect(operator.service()?.tags).toEqual(
      expect.arrayContaining([
        { key: 'CostCenter', value: 'platform' },
        { key: 'Env', value: 'prod' },
      ]),
    );
  });

  test('on the list is taken, by its name or by its start', async () => {
    const operator = ecsOperator({ block, policy: { ecs: { allowed_tag_keys: ['team', 'app:*'] } } });
    expect(await operator.apply(asking({ tags: { team: 'a', 'app:tier': 'web' } }))).toBe('taken');
    for (const key of ['teams', 'app', 'App:tier']) {
      expect(await operator.apply(asking({ tags: { [key]: 'x' } }))).toMatch(
        `PolicyDenied: policy.ecs.allowed_tag_keys: tag ${key} is not one that tenants may set`,
      );
    }
  });

  test('of Landlord or of AWS is refused, list or not', async () => {
    const operator = ecsOperator({ policy: { ecs: { allowed_tag_keys: ['*'] } } });
    for (const key of ['landlord.owner', 'Landlord.tag_keys', 'aws:x', 'AWS:x']) {
      expect(await operator.apply(asking({ tags: { [key]: 'x' } }))).toMatch(/^(PolicyDenied|InvalidSpec): /);
    }
    expect(operator.ecs.calls).toEqual([]);
  });
});

describe('what a namespace may choose besides', () => {
  const more = {
    allowed_launch_types: ['EC2'],
    allow_public_ip: true,
    allowed_tag_keys: ['team'],
    allowed_service_names: ['team-b-*'],
    max_desired_count: 200,
  };
  const policy = {
    ecs: { allow_public_ip: false, allowed_tag_keys: ['app'] },
    namespaces: [{ names: ['team-b'], ecs: more }],
  };
  const block = { subnets: ['subnet-1'] };
  const asked = {
    launch_type: 'EC2',
    assign_public_ip: true,
    tags: { team: 'b', app: 'x' },
    service_name: 'team-b-shop',
    desired_count: 200,
  };

  test('is for its Tenants', async () => {
    const operator = ecsOperator({ block, policy });
    expect(await operator.apply(asking(asked), { namespace: 'team-b' })).toBe('taken');
  });

  test.each(Object.entries(asked))('is for no others: %s', async (key, value) => {
    const operator = ecsOperator({ block, policy });
    expect(await operator.apply(asking({ [key]: value }))).toMatch(/^PolicyDenied: policy\.ecs\./);
    expect(operator.ecs.calls).toEqual([]);
  });
});
