import type { Service } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import {
  appliedMark,
  rejectedMark,
} from '../../../../../src/compute/providers/ecs/state/marks/applied-mark.ts';
import { isDesiredTaskDefinition } from '../../../../../src/compute/providers/ecs/state/compare-revision.ts';
import { diffService, missingTags } from '../../../../../src/compute/providers/ecs/state/diff.ts';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { serviceTags } from '../../../../../src/compute/providers/ecs/state/marks/service-tags.ts';
import { tagList } from '../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import { containerSpec, settings, tenantSpec } from '../ecs-fixture.ts';
import { baseArn } from '../memory-ecs.ts';
import { oldArn } from '../observed-fixture.ts';

const operator = settings(
  {},
  { allowed_subnets: ['subnet-1', 'subnet-2'], allowed_security_groups: ['sg-1', 'sg-2'] },
);
const desiredOf = (config: Record<string, unknown> = {}, image?: string) =>
  desireService(
    tenantSpec(config, { containers: image === undefined ? [] : [containerSpec('app', { image })] }),
    operator,
  );
type Mark = 'this' | 'rejected' | 'other';
const markOf = (mark: Mark, desired: ReturnType<typeof desiredOf>): string =>
  ({ this: appliedMark(desired), rejected: rejectedMark(desired), other: 'v1:another' })[mark];

/** As ECS shows a service of that desired state, with the mark of it, and what differs from that. */
function serviceOf(
  config: Record<string, unknown>,
  over: Partial<Service> = {},
  mark: Mark = 'this',
): Service {
  const desired = desiredOf(config);
  const tags = {
    ...serviceTags(desired, 'tenant-app:12'),
    'landlord.spec_hash': markOf(mark, desired),
  };
  return {
    status: 'ACTIVE',
    taskDefinition: baseArn,
    desiredCount: desired.desiredCount ?? 1,
    launchType: desired.launchType ?? 'EC2',
    tags: tagList(tags),
    ...over,
  };
}

interface Case {
  readonly config?: Record<string, unknown>;
  readonly over?: Partial<Service>;
  readonly mark?: Mark;
}
const compare = ({ config = {}, over, mark }: Case) =>
  diffService(desiredOf(config), serviceOf(config, over, mark));
const paths = (compared: Case) =>
  compare(compared).changes.map(
    ({ path, desired, actual, cause }) => `${cause} ${path}: ${actual} -> ${desired}`,
  );

describe('a service as desired', () => {
  const full = { desired_count: 2, launch_type: 'FARGATE', tags: { team: 'a' }, drain: true };
  test('differs in nothing, and nothing is to be done', () => {
    expect(compare({ config: full })).toEqual({
      changes: [],
      differs: {
        taskDefinition: false,
        desiredCount: undefined,
        network: false,
        launchType: false,
        force: false,
        deployment: undefined,
        rolledSettings: {},
        liveSettings: {},
      },
      replace: false,
      untag: [],
      applied: 'this',
      kept: {},
    });
  });
});

describe('a count', () => {
  test.each<[what: string, compared: Case, changes: string[], count: number | undefined]>([
    [
      'somebody’s else',
      { config: { desired_count: 2 }, over: { desiredCount: 5 } },
      ['drift desiredCount: 5 -> 2'],
      2,
    ],
    [
      'that ECS leaves out',
      { config: { desired_count: 2 }, over: { desiredCount: undefined } },
      ['drift desiredCount: none -> 2'],
      2,
    ],
    ['of autoscaling', { over: { desiredCount: 5 } }, [], undefined],
    ['of nothing, by autoscaling', { over: { desiredCount: 0 } }, [], undefined],
  ])('%s', (_what, compared, changes, count) => {
    expect(paths(compared)).toEqual(changes);
    expect(compare(compared).differs.desiredCount).toBe(count);
  });

  test.each<[config: Record<string, unknown>, actual: number, count: number | undefined]>([
    [{}, 0, 4],
    [{}, 5, undefined],
    [{ desired_count: 2 }, 0, 2],
  ])('after a drain from 4 that was called off, of %j with %i: %s', (config, actual, count) => {
    const of = { ...config, drain: true };
    const service = serviceOf(of, { desiredCount: actual });
    const tags = (service.tags ?? []).map((tag) =>
      tag.key === 'landlord.drain' ? { ...tag, value: 'from 4' } : tag,
    );
    const { changes, differs } = diffService(desiredOf(of), { ...service, tags });
    expect(differs.desiredCount).toBe(count);
    expect(changes.map(({ cause }) => cause)).not.toContain('drift');
    expect(changes.map(({ path }) => path)).toContain('tags.landlord.drain');
  });
});

describe('a task definition', () => {
  const change = (desired: string, actual: string, cause: string) => [
    `${cause} taskDefinition: ${actual} -> ${desired}`,
  ];
  test.each<[what: string, mark: Mark, rolledBack: boolean, cause: string]>([
    ['that somebody changed is drift', 'this', false, 'drift'],
    ['that ECS took back is to be rolled out', 'this', true, 'spec'],
    ['that was rejected is to be rolled out', 'rejected', false, 'spec'],
    ['of another desired state is to be rolled out', 'other', false, 'spec'],
  ])('%s', (_what, mark, rolledBack, cause) => {
    const { changes, differs } = diffService(
      desiredOf(),
      serviceOf({}, { taskDefinition: oldArn }, mark),
      rolledBack,
    );
    const told = changes.filter(({ path }) => path === 'taskDefinition');
    expect(told).toEqual([
      { path: 'taskDefinition', desired: 'tenant-app:12', actual: 'tenant-app:11', cause, effect: 'replace' },
    ]);
    expect(differs.taskDefinition).toBe(true);
  });

  test('that ECS leaves out is none', () => {
    expect(paths({ over: { taskDefinition: undefined } })).toEqual(change('tenant-app:12', 'none', 'drift'));
  });

  test.each<[tag: string | undefined, named: string]>([
    ['HASH own:7', 'own:7'],
    ['another own:7', 'a new revision of FAMILY'],
    ['HASH', 'a new revision of FAMILY'],
    [undefined, 'a new revision of FAMILY'],
  ])('of the tenant’s own with the mark %s is wanted as %s', (tag, named) => {
    const desired = desiredOf({}, 'app:1');
    const { hash = '', family = '' } = desired.overlay ?? {};
    const tags =
      tag === undefined ? [] : [{ key: 'landlord.task_definition', value: tag.replace('HASH', hash) }];
    const { changes } = diffService(desired, { taskDefinition: baseArn, desiredCount: 1, tags });
    expect(changes.find(({ path }) => path === 'taskDefinition')?.desired).toBe(
      named.replace('FAMILY', family),
    );
  });

  test.each<[named: string, actual: string | undefined, isDesired: boolean]>([
    [baseArn, baseArn, true],
    [baseArn, oldArn, false],
    [baseArn.replace(/:12$/, ''), baseArn, true],
    [baseArn.replace(/:12$/, ''), baseArn.replace('tenant-app', 'other'), false],
    [baseArn, undefined, false],
  ])('%s is met by %s: %j', (named, actual, isDesired) => {
    expect(isDesiredTaskDefinition(desiredOf({ task_definition_arn: named }), actual, {})).toBe(isDesired);
  });

  test('of the tenant’s own is met by the marked revision alone', () => {
    const desired = desiredOf({}, 'app:1');
    const own = baseArn.replace('tenant-app:12', 'own:7');
    const tags = { 'landlord.task_definition': `${desired.overlay?.hash} own:7` };
    expect(isDesiredTaskDefinition(desired, own, tags)).toBe(true);
    expect(isDesiredTaskDefinition(desired, own.replace(':7', ':8'), tags)).toBe(false);
    expect(isDesiredTaskDefinition(desired, own, {})).toBe(false);
    expect(
      isDesiredTaskDefinition(desired, undefined, {
        'landlord.task_definition': `${desired.overlay?.hash} `,
      }),
    ).toBe(false);
  });
});

describe('a network', () => {
  const config = {
    subnets: ['subnet-1', 'subnet-2'],
    security_groups: ['sg-1', 'sg-2'],
    assign_public_ip: true,
  };
  const shown = (over: object): Partial<Service> => ({
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: ['subnet-2', 'subnet-1'],
        securityGroups: ['sg-2', 'sg-1'],
        assignPublicIp: 'ENABLED',
        ...over,
      },
    },
  });
  const path = 'networkConfiguration';
  test.each<[what: string, compared: Case, changes: string[]]>([
    ['in another order is the same', { config, over: shown({}) }, []],
    [
      'of other subnets',
      { config, over: shown({ subnets: ['subnet-3'] }) },
      [`drift ${path}.subnets: subnet-3 -> subnet-1, subnet-2`],
    ],
    [
      'of other groups',
      { config, over: shown({ securityGroups: undefined }) },
      [`drift ${path}.securityGroups:  -> sg-1, sg-2`],
    ],
    [
      'without a public IP',
      { config, over: shown({ assignPublicIp: undefined }) },
      [`drift ${path}.assignPublicIp: DISABLED -> ENABLED`],
    ],
    [
      'whose groups are the VPC’s own',
      { config: { ...config, security_groups: undefined }, over: shown({}) },
      [],
    ],
    ['that nobody asks for', { over: shown({}) }, []],
    ['that the endpoint does not show is believed', { config, over: {} }, []],
    [
      'that is not there yet is to be made',
      { config: { subnets: ['subnet-1'] }, mark: 'other' },
      [`spec ${path}.subnets:  -> subnet-1`],
    ],
  ])('%s', (_what, compared, changes) => {
    const told = paths(compared).filter((change) => !change.includes('spec_hash'));
    expect(told).toEqual(changes);
    expect(compare(compared).differs.network).toBe(changes.length > 0);
  });
});

describe('the rules of a rollout', () => {
  const right = {
    deploymentCircuitBreaker: { enable: true, rollback: true },
    maximumPercent: 200,
    minimumHealthyPercent: 100,
  };
  const path = 'deploymentConfiguration';
  test.each<[deploymentConfiguration: Service['deploymentConfiguration'], changes: string[]]>([
    [right, []],
    [undefined, []],
    [{ ...right, maximumPercent: 150 }, [`drift ${path}.maximumPercent: 150 -> 200`]],
    [{ ...right, minimumHealthyPercent: 0 }, [`drift ${path}.minimumHealthyPercent: 0 -> 100`]],
    [
      { ...right, deploymentCircuitBreaker: { enable: true, rollback: false } },
      [`drift ${path}.deploymentCircuitBreaker.rollback: false -> true`],
    ],
    [
      { ...right, deploymentCircuitBreaker: undefined },
      [
        `drift ${path}.deploymentCircuitBreaker.enable: none -> true`,
        `drift ${path}.deploymentCircuitBreaker.rollback: none -> true`,
      ],
    ],
  ])('are as they are: %j', (deploymentConfiguration, changes) => {
    const compared = { over: { deploymentConfiguration } };
    expect(paths(compared)).toEqual(changes);
    expect(compare(compared).differs.deployment).toEqual(changes.length > 0 ? right : undefined);
  });
});

describe('a launch type', () => {
  const fargate = { launch_type: 'FARGATE' };
  const ec2 = { launch_type: 'EC2' };
  const on = (...capacityProviders: string[]): Partial<Service> => ({
    launchType: undefined,
    capacityProviderStrategy: capacityProviders.map((capacityProvider) => ({ capacityProvider })),
  });
  const change = (desired: string, actual: string, cause: string, effect: string) => ({
    path: 'launchType',
    desired,
    actual,
    cause,
    effect,
  });
  test.each<[what: string, compared: Case, told: object | undefined]>([
    [
      'of another desired state is given by a capacity provider',
      { config: fargate, mark: 'other', over: { launchType: 'EC2' } },
      change('FARGATE', 'EC2', 'spec', 'replace'),
    ],
    [
      'of instances has no provider that ECS could know',
      { config: ec2, mark: 'other', over: { launchType: 'FARGATE' } },
      change('EC2', 'FARGATE', 'spec', 'outage'),
    ],
    [
      'of hosts elsewhere stays what it is',
      { config: fargate, mark: 'other', over: { launchType: 'EXTERNAL' } },
      change('FARGATE', 'EXTERNAL', 'spec', 'outage'),
    ],
    ['that is right', { config: fargate, mark: 'other' }, undefined],
    ['that nobody names', { mark: 'other', over: { launchType: 'FARGATE' } }, undefined],
    ['that ECS does not tell', { config: fargate, mark: 'other', over: on() }, undefined],
    ['FARGATE is met by its provider', { config: fargate, mark: 'other', over: on('FARGATE') }, undefined],
    ['EC2 is met by groups of instances', { config: ec2, mark: 'other', over: on('a', 'b') }, undefined],
    [
      'FARGATE is not met by another one beside it',
      { config: fargate, over: on('FARGATE_SPOT', 'FARGATE') },
      change('FARGATE', 'capacity provider FARGATE, FARGATE_SPOT', 'drift', 'replace'),
    ],
    [
      'that somebody changed is drift, which the service can be brought back from',
      { config: ec2, over: on('FARGATE_SPOT') },
      change('EC2', 'capacity provider FARGATE_SPOT', 'drift', 'replace'),
    ],
  ])('%s', (_what, compared, told) => {
    const { changes, replace } = compare(compared);
    expect(changes.find(({ path }) => path === 'launchType')).toEqual(told);
    expect(replace).toBe(told !== undefined && 'effect' in told && told.effect === 'outage');
  });

  const asked = (config: Record<string, unknown>, now: Record<string, unknown>) => {
    const service = serviceOf(config);
    const strategy = on('FARGATE_SPOT');
    return diffService(desiredOf(now), { ...service, ...strategy });
  };
  test('that somebody changed is drift to an edit that does not speak of it, and is left alone by that', () => {
    const { changes, differs } = asked(fargate, { ...fargate, tags: { team: 'a' } });
    expect(changes.find(({ path }) => path === 'launchType')).toMatchObject({ cause: 'drift' });
    expect(differs.launchType).toBe(false);
  });

  test('that the edit names is rolled out, whatever somebody made of the one before', () => {
    const { changes, differs } = asked({}, fargate);
    expect(changes.find(({ path }) => path === 'launchType')).toMatchObject({ cause: 'spec' });
    expect(differs.launchType).toBe(true);
  });
});

describe('a network that somebody changed', () => {
  const config = { subnets: ['subnet-1'] };
  const there = {
    ...serviceOf(config),
    networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-2'], securityGroups: ['sg-9'] } },
  };
  const network = ({ changes }: ReturnType<typeof diffService>) =>
    changes.filter(({ path }) => path.startsWith('network')).map(({ cause }) => cause);

  test('is drift to an edit that does not speak of it, and is left alone by that', () => {
    const diff = diffService(desiredOf({ ...config, tags: { team: 'a' } }), there);
    expect(network(diff)).toEqual(['drift']);
    expect(diff.differs.network).toBe(false);
  });

  test('is rolled out where the edit names another one', () => {
    const diff = diffService(desiredOf({ ...config, assign_public_ip: true }), there);
    expect(network(diff)).toEqual(['spec', 'spec']);
    expect(diff.differs.network).toBe(true);
  });

  test('is no drift where ECS itself took it back', () => {
    const diff = diffService(desiredOf(config), there, true);
    expect(network(diff)).toEqual(['spec', 'spec']);
  });
});

describe('tags', () => {
  const config = { tags: { team: 'a' } };
  const withTags = (edit: (tags: Record<string, string>) => Record<string, string | undefined>): Case => {
    const tags = serviceTags(desiredOf(config), '');
    const edited = Object.entries(edit({ ...tags })).flatMap(([key, value]) =>
      value === undefined ? [] : [{ key, value }],
    );
    return { config, over: { tags: edited } };
  };
  test.each<[what: string, compared: Case, changes: string[]]>([
    ['that somebody changed', withTags((tags) => ({ ...tags, team: 'b' })), ['drift tags.team: b -> a']],
    [
      'that somebody took away',
      withTags((tags) => ({ ...tags, team: undefined })),
      ['drift tags.team: none -> a'],
    ],
    ['that others added', withTags((tags) => ({ ...tags, cost: '7' })), []],
    [
      'of ours that were changed',
      withTags((tags) => ({ ...tags, 'landlord.tenant_uid': 'x' })),
      ['spec tags.landlord.tenant_uid: x -> uid-1'],
    ],
    [
      'of a drain that nobody wants',
      withTags((tags) => ({ ...tags, 'landlord.drain': 'true' })),
      ['spec tags.landlord.drain: true -> none'],
    ],
    [
      'of which it was forgotten whose they are',
      withTags((tags) => ({ ...tags, 'landlord.tag_marks': undefined })),
      ['spec tags.landlord.tag_marks: none -> ca8b22d0db83a22d'],
    ],
    [
      'of another desired state',
      withTags((tags) => ({ ...tags, team: 'b', 'landlord.spec_hash': 'v1:0' })),
      [
        'spec tags.team: b -> a',
        expect.stringContaining('spec tags.landlord.spec_hash: v1:0 -> v1:') as string,
      ],
    ],
    [
      'of a rejected one',
      withTags((tags) => ({ ...tags, 'landlord.spec_hash': `rejected:${tags['landlord.spec_hash']}` })),
      [],
    ],
  ])('%s', (_what, compared, changes) => {
    expect(paths(compared)).toEqual(changes);
  });

  test('that nobody asks for any more are taken away', () => {
    const service = serviceOf({ tags: { team: 'a', stage: 'dev' } });
    const { changes, untag } = diffService(desiredOf(config), service);
    expect(untag).toEqual(['stage']);
    expect(changes).toContainEqual({
      path: 'tags.stage',
      desired: 'none',
      actual: 'dev',
      cause: 'spec',
      effect: 'live',
    });
  });

  test('to write are those that lack or differ', () => {
    expect(missingTags({ a: '1', b: '2', c: '3' }, { a: '1', b: 'x', d: '4' })).toEqual({ b: '2', c: '3' });
  });
});

test.each([
  ['this', 'this'],
  ['rejected', 'rejected'],
  ['other', 'other'],
] as const)('the mark of %s desired state says so', (mark, applied) => {
  expect(compare({ mark }).applied).toBe(applied);
});
