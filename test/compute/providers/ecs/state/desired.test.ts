import { describe, expect, test } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import { desireService, targetOf } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { createServiceInput } from '../../../../../src/compute/providers/ecs/state/service-input.ts';
import { serviceTags } from '../../../../../src/compute/providers/ecs/state/marks/service-tags.ts';
import { formerKeys } from '../../../../../src/compute/providers/ecs/state/marks/tag-marks.ts';
import { containerSpec, openPolicy, settings, tenantSpec } from '../ecs-fixture.ts';
import { baseArn, clusterArn } from '../memory-ecs.ts';

function refusal(act: () => unknown): string {
  try {
    act();
    return 'taken';
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const adminArn = baseArn.replace('tenant-app', 'admin');
const role = 'arn:aws:iam::123456789012:role/tenants';
const elsewhere = 'arn:aws:ecs:eu-west-1:123456789012:cluster/other';

describe('the name of the service', () => {
  test.each<[config: Record<string, unknown>, name: string]>([
    [{}, 'landlord-tenant-acme'],
    [{ service_name: 'shop' }, 'shop'],
    [{ service_name_prefix: 't-' }, 't-acme'],
  ])('follows from %j', (config, name) => {
    expect(desireService(tenantSpec(config), settings()).placement).toEqual({
      provider: 'ecs',
      region: 'us-west-2',
      cluster: clusterArn,
      service: name,
    });
  });
});

describe('the place of the service', () => {
  const config = { service_name: 'shop', assume_role: { role_arn: role } };

  test.each([
    [config, {}],
    [{ service_name: 'shop' }, { region: 'eu-west-1' }],
  ])('of %j is found again from the placement that the status keeps', (named, operators) => {
    const operator = settings({ region: 'eu-west-1' }, { allowed_roles: [{ role_arn: role }] });
    const { placement, target } = desireService(tenantSpec({ ...named, ...operators }), operator);
    expect(targetOf(placement, 'DestroyFailed')).toEqual(target);
  });

  test('has the role of the tenant, and the region of its cluster unless it names one', () => {
    const operator = settings({ region: 'eu-west-1' }, { allowed_roles: [{ role_arn: role }] });
    expect(desireService(tenantSpec(config), operator).target).toEqual({
      scope: { region: 'us-west-2', roleArn: role },
      cluster: clusterArn,
      service: 'shop',
    });
    expect(desireService(tenantSpec({ region: 'eu-west-1' }), operator).target.scope).toEqual({
      region: 'eu-west-1',
    });
  });

  test.each(['region', 'cluster', 'service'])('is none without its %s', (key) => {
    const { placement } = desireService(tenantSpec(), settings());
    for (const code of ['DestroyFailed', 'ProviderUnavailable'] as const) {
      expect(refusal(() => targetOf({ ...placement, [key]: undefined }, code))).toBe(
        `${code}: status.placement of this tenant does not name the region, cluster and service`,
      );
    }
  });
});

describe('the count of a service that is made', () => {
  const inputOf = (config: Record<string, unknown>, born?: Date) =>
    createServiceInput(
      desireService(tenantSpec(config), settings({}, { allowed_subnets: ['subnet-1'] })),
      baseArn,
      born,
    );

  test.each([
    [{}, 1],
    [{ desired_count: 0 }, 0],
    [{ desired_count: 7 }, 7],
  ])('of %j is %i', (config, count) => {
    expect(inputOf(config).desiredCount).toBe(count);
  });

  test.each<[operator: Record<string, unknown>, config: Record<string, unknown>, notes: readonly string[]]>([
    [{}, {}, []],
    [{ desired_count: 1 }, { desired_count: 1 }, []],
    [{}, { desired_count: 3 }, []],
    [{ desired_count: 1 }, { desired_count: 2 }, ['desired_count 2 counts for nothing beside replicas 3']],
  ])('is that of replicas, whatever %j and %j say', (operator, config, notes) => {
    const desired = desireService(tenantSpec(config, { replicas: 3 }), settings(operator));
    expect(desired).toMatchObject({ desiredCount: 3, firstCount: 3, notes });
  });

  test('is the same by either name: nothing differs where one takes the place of the other', () => {
    const [one, other] = [tenantSpec({ desired_count: 2 }), tenantSpec({}, { replicas: 2 })];
    expect(desireService(one, settings()).specHash).toBe(desireService(other, settings()).specHash);
  });

  test('is for no DAEMON to have, and by no name more than tenants may ask for', () => {
    const daemon = tenantSpec({ scheduling_strategy: 'DAEMON', launch_type: 'EC2' }, { replicas: 2 });
    expect(refusal(() => desireService(daemon, settings()))).toBe(
      'InvalidSpec: spec.replicas: a DAEMON (scheduling_strategy) has as many tasks as there are instances. Leave it out',
    );
    expect(refusal(() => desireService(tenantSpec({}, { replicas: 101 }), settings()))).toMatch(
      /^PolicyDenied: policy\.ecs\.max_desired_count: 101 tasks are more than the 100/,
    );
  });

  test.each([
    [7, 7],
    [5_000, 100],
  ])('is as before, where nobody names one, within what tenants may ask for: of %i, %i', (before, count) => {
    const compute = { state: 'running', health: 'healthy', running: before, desired: before } as const;
    expect(desireService(tenantSpec({}, { before: compute }), settings()).firstCount).toBe(count);
  });

  test('stands beside no launch type and no network that nobody names', () => {
    const keys = Object.keys(inputOf({}));
    expect(keys).not.toContain('launchType');
    expect(keys).not.toContain('networkConfiguration');
  });

  test.each([
    [{ subnets: ['subnet-1'] }, { subnets: ['subnet-1'], assignPublicIp: 'DISABLED' }],
    [
      { subnets: ['subnet-1'], security_groups: [], assign_public_ip: true },
      { subnets: ['subnet-1'], assignPublicIp: 'ENABLED' },
    ],
  ])('on the network %j leaves the groups to the VPC', (config, awsvpcConfiguration) => {
    expect(inputOf(config).networkConfiguration).toEqual({ awsvpcConfiguration });
  });

  test('has one token for each life of the service, and for each desired state', () => {
    const tokens = [
      inputOf({}),
      inputOf({}, new Date(1)),
      inputOf({}, new Date(2)),
      inputOf({ desired_count: 2 }),
    ];
    expect(new Set(tokens.map(({ clientToken }) => clientToken)).size).toBe(4);
    expect(inputOf({}, new Date(1)).clientToken).toBe(inputOf({}, new Date(1)).clientToken);
  });
});

describe('what a tenant names of AWS is refused, by the rule', () => {
  test.each<[rule: string, value: string, config: Record<string, unknown>, list: unknown]>([
    ['allowed_clusters', elsewhere, { cluster_arn: elsewhere }, [elsewhere]],
    ['allowed_regions', 'eu-west-1', { region: 'eu-west-1' }, ['eu-west-1']],
    ['allowed_roles', role, { assume_role: { role_arn: role } }, [{ role_arn: role }]],
    ['allowed_subnets', 'subnet-9', { subnets: ['subnet-9'] }, ['subnet-9']],
    ['allowed_security_groups', 'sg-9', { subnets: ['subnet-1'], security_groups: ['sg-9'] }, ['sg-9']],
    ['allowed_task_definitions', adminArn, { task_definition_arn: adminArn }, ['admin']],
    ['allowed_task_definitions', adminArn, { task_definition_arn: adminArn }, [adminArn]],
  ])('policy.ecs.%s: %s, unless it is on the list', (rule, value, config, list) => {
    const block = { subnets: ['subnet-1'] };
    const told = refusal(() => desireService(tenantSpec(config), settings(block)));
    expect(told.slice(0, told.indexOf(': ', 14))).toBe(`PolicyDenied: policy.ecs.${rule}`);
    expect(told).toContain(` ${value} is not one that tenants may name`);
    expect(refusal(() => desireService(tenantSpec(config), settings(block, { [rule]: list })))).toBe('taken');
  });

  test("not where it is the operator's own", () => {
    const own = {
      subnets: ['subnet-1', 'subnet-2'],
      security_groups: ['sg-1'],
      assume_role: { role_arn: role },
    };
    expect(refusal(() => desireService(tenantSpec({ ...own, subnets: ['subnet-2'] }), settings(own)))).toBe(
      'taken',
    );
  });

  test.each([baseArn.replace(/:12$/, ':99'), baseArn.replace(/:12$/, '')])(
    'not where it is a revision of the operator’s own family: %s',
    (task_definition_arn) => {
      expect(refusal(() => desireService(tenantSpec({ task_definition_arn }), settings()))).toBe('taken');
    },
  );

  test('not by a family of the same name in another account', () => {
    const task_definition_arn = baseArn.replace('123456789012', '999999999999');
    expect(refusal(() => desireService(tenantSpec({ task_definition_arn }), settings()))).toMatch(
      /^PolicyDenied: policy\.ecs\.allowed_task_definitions/,
    );
  });

  test.each(['landlord.owner', 'LANDLORD.x'])('the tag %s', (key) => {
    expect(refusal(() => desireService(tenantSpec({ tags: { [key]: 'x' } }), settings()))).toMatch(
      /^PolicyDenied: policy\.ecs: tag /,
    );
  });

  test('an image that is not allowed, and more CPU than allowed over all tasks', () => {
    const bounded = settings(
      {},
      {},
      {
        allowed_images: ['app:*'],
        max_resources: { cpu: '1', memory: '' },
        default_resources: { cpu: '', memory: '' },
      },
    );
    const spec = (image: string, count: number) =>
      tenantSpec(
        { desired_count: count },
        { containers: [containerSpec('app', { image, resources: { cpu: '400m' } })] },
      );
    expect(refusal(() => desireService(spec('evil:1', 1), bounded))).toMatch(
      /^PolicyDenied: policy\.allowed_images/,
    );
    expect(refusal(() => desireService(spec('app:1', 3), bounded))).toMatch(
      /^PolicyDenied: policy\.max_resources\.cpu/,
    );
    expect(refusal(() => desireService(spec('app:1', 2), bounded))).toBe('taken');
    expect(openPolicy.allowed_images).toEqual(['*']);
  });
});

describe('an invalid spec is refused by its path', () => {
  test.each<
    [what: string, config: Record<string, unknown>, ports: [number, number] | undefined, message: RegExp]
  >([
    [
      'security groups without subnets',
      { security_groups: ['sg-1'] },
      undefined,
      /ecs\.security_groups: needs subnets/,
    ],
    [
      'a public IP without subnets',
      { assign_public_ip: true },
      undefined,
      /ecs\.assign_public_ip: needs subnets/,
    ],
    [
      'a foreign host port with subnets',
      { subnets: ['subnet-1'] },
      [80, 8080],
      /container app: hostPort 8080 must equal containerPort 80/,
    ],
    ['a foreign host port on Fargate', { launch_type: 'FARGATE' }, [80, 8080], /hostPort 8080/],
  ])('%s', (_what, config, ports, message) => {
    const allowed = { allowed_subnets: ['subnet-1'], allowed_security_groups: ['sg-1'] };
    const containers =
      ports === undefined
        ? []
        : [
            containerSpec('app', {
              ports: [{ containerPort: ports[0], hostPort: ports[1], protocol: 'TCP' }],
            }),
          ];
    expect(refusal(() => desireService(tenantSpec(config, { containers }), settings({}, allowed)))).toMatch(
      message,
    );
  });
});

describe('the spec hash', () => {
  const hashOf = (config: Record<string, unknown>, image?: string) =>
    desireService(
      tenantSpec(config, { containers: image === undefined ? [] : [containerSpec('app', { image })] }),
      settings({}, { allowed_subnets: ['subnet-1', 'subnet-2'] }),
    ).specHash;

  test.each<[what: string, config: Record<string, unknown>, image?: string]>([
    ['the task definition', { task_definition_arn: baseArn.replace(/:12$/, ':13') }],
    ['the count', { desired_count: 2 }],
    ['the launch type', { launch_type: 'EC2' }],
    ['the network', { subnets: ['subnet-1'] }],
    ['a tag', { tags: { a: 'b' } }],
    ['a drain', { drain: true }],
    ['an image', {}, 'app:2'],
  ])('changes with %s', (_what, config, image) => {
    expect(hashOf(config, image)).not.toBe(hashOf({}));
    expect(hashOf(config, image)).toBe(hashOf(config, image));
  });

  test('does not change where a drain is declined instead of not asked for', () => {
    expect(hashOf({ drain: false })).toBe(hashOf({}));
  });

  test('is the one that earlier versions wrote: a new operator rolls nobody', () => {
    expect(
      hashOf({ desired_count: 2, subnets: ['subnet-1'], tags: { a: 'b' } }, 'app:1'),
    ).toMatchInlineSnapshot(`"v1:c37bd2e2674f94af1d304e6928c8fa12"`);
    expect(hashOf({ drain: true })).toMatchInlineSnapshot(`"v1:bbd9122bea95b70f2c5665704d0eea85"`);
  });
});

function manyTags(length: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length }, (_none, index) => [`key-${index}`, 'x']));
}

test('the request that makes a service is this one', () => {
  const desired = desireService(
    tenantSpec({
      desired_count: 2,
      launch_type: 'FARGATE',
      subnets: ['subnet-123', 'subnet-456'],
      security_groups: ['sg-123'],
      assign_public_ip: true,
      tags: { team: 'a' },
    }),
    settings({ subnets: ['subnet-123', 'subnet-456'], security_groups: ['sg-123'] }),
  );
  const input = createServiceInput(desired, baseArn, undefined);
  expect(input.clientToken).toMatch(/^[0-9a-f]{36}$/);
  expect(input).toMatchInlineSnapshot(`
    {
      "clientToken": "f6d060fd9e83c5c38178a3526f8cfab9a213",
      "cluster": "arn:aws:ecs:us-west-2:123456789012:cluster/landlord",
      "deploymentConfiguration": {
        "deploymentCircuitBreaker": {
          "enable": true,
          "rollback": true,
        },
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
      },
      "desiredCount": 2,
      "launchType": "FARGATE",
      "networkConfiguration": {
        "awsvpcConfiguration": {
          "assignPublicIp": "ENABLED",
          "securityGroups": [
            "sg-123",
          ],
          "subnets": [
            "subnet-123",
            "subnet-456",
          ],
        },
      },
      "propagateTags": "SERVICE",
      "serviceName": "landlord-tenant-acme",
      "tags": [
        {
          "key": "team",
          "value": "a",
        },
        {
          "key": "landlord.owner",
          "value": "default",
        },
        {
          "key": "landlord.cluster",
          "value": "cluster-1",
        },
        {
          "key": "landlord.tenant_id",
          "value": "acme",
        },
        {
          "key": "landlord.tenant_namespace",
          "value": "team-a",
        },
        {
          "key": "landlord.tenant_name",
          "value": "acme",
        },
        {
          "key": "landlord.tenant_uid",
          "value": "uid-1",
        },
        {
          "key": "landlord.provider",
          "value": "ecs",
        },
        {
          "key": "landlord.tag_marks",
          "value": "ca8b22d0db83a22d",
        },
        {
          "key": "landlord.spec_hash",
          "value": "v1:9b2d1653ee4c132ab90d160614de96e8 net=f3db77c3 sg=7f3aca56 on=FARGATE",
        },
      ],
      "taskDefinition": "arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12",
    }
  `);
});

test.each([
  [{ drain: true }, 'true'],
  [{ drain: false }, undefined],
  [{}, undefined],
])('of %j the tag landlord.drain of the service is %j, and the place is the same', (config, tag) => {
  const desired = desireService(tenantSpec(config), settings());
  expect(serviceTags(desired, '')['landlord.drain']).toBe(tag);
  expect(desired.placement).toEqual(desireService(tenantSpec(), settings()).placement);
});

test.each([
  { tags: manyTags(38), drain: false, containers: [containerSpec('app')] },
  { tags: manyTags(37), drain: true, containers: [containerSpec('app')] },
])('the tags remember which of them came from the spec, and fit for as many as a spec may have', (spec) => {
  const { tags, drain, containers } = spec;
  const written = serviceTags(desireService(tenantSpec({ tags, drain }, { containers }), settings()), 'f:1');
  expect(Object.keys(written).length).toBeLessThanOrEqual(50);
  expect(Math.max(...Object.values(written).map((value) => value.length))).toBeLessThanOrEqual(256);
  expect(formerKeys({ ...written, foreign: 'y' }, {}).toSorted()).toEqual(Object.keys(tags).toSorted());
});
