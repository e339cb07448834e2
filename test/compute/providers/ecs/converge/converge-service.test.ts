import type { Service } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import type { Attempt, ServiceDeps } from '../../../../../src/compute/providers/ecs/converge/attempt.ts';
import { convergeService } from '../../../../../src/compute/providers/ecs/converge/converge-service.ts';
import { appliedMark } from '../../../../../src/compute/providers/ecs/state/marks/applied-mark.ts';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import type { EcsApi } from '../../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import { permitUpTo } from '../../../../../src/compute/permit.ts';
import type { StepResult } from '../../../../../src/compute/provider.ts';
import { containerSpec, noGroups, settings, tenantSpec } from '../ecs-fixture.ts';
import { baseArn, clusterArn, memoryEcs, writes } from '../memory-ecs.ts';
import type { MemoryEcs, MemoryEcsOptions } from '../memory-ecs.ts';
import { anyConsent, anyPermit } from '../../../permits.ts';

const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const place = { cluster: clusterArn, service: name };
const operator = settings(
  {},
  { allowed_subnets: ['subnet-1', 'subnet-2', 'subnet-bad'], allowed_security_groups: ['sg-1'] },
);
type Spec = ReturnType<typeof tenantSpec>;
const image = (of: string, config: Record<string, unknown> = {}): Spec =>
  tenantSpec(config, { containers: [containerSpec('app', { image: of })] });

interface Converging extends Partial<Pick<Attempt, 'hold' | 'failure' | 'permit'>> {
  readonly api?: Partial<EcsApi>;
  readonly by?: typeof operator;
}

/** One step towards `spec`, and what was noted on the way. */
async function converge(
  ecs: MemoryEcs,
  spec: Spec,
  { api, by = operator, hold = false, failure = 'UpdateFailed', permit = anyPermit }: Converging = {},
) {
  const noted = { creates: [] as string[], revisions: [] as string[] };
  const parts: ServiceDeps = {
    api: { ...ecs, ...api },
    ownership: by.ownership,
    groups: noGroups,
    noteCreate: ({ service }) => void noted.creates.push(service),
    noteRevision: ({ tenantId }) => void noted.revisions.push(tenantId),
  };
  const attempt = { desired: desireService(spec, by), permit, hold, failure };
  const step = await convergeService(parts, attempt, signal);
  return { step, noted };
}

/** A service that runs `spec`, as somebody may have changed it since. */
async function started(
  spec: Spec,
  change: Partial<Service> = {},
  options: MemoryEcsOptions = {},
): Promise<MemoryEcs> {
  const ecs = memoryEcs(options);
  await converge(ecs, spec);
  await ecs.describeService({ scope: { region: 'us-west-2' }, ...place }, 'user', signal);
  Object.assign(ecs.service(name) ?? {}, change);
  ecs.calls.length = 0;
  return ecs;
}

const written = (ecs: MemoryEcs): unknown[] =>
  ecs.calls.flatMap(({ name: call, input }) => (writes.includes(call) ? [[call, input]] : []));
const untilRolledBack = async (ecs: MemoryEcs) => {
  for (let looks = 0; looks < 3; looks += 1)
    await ecs.describeService({ scope: { region: 'us-west-2' }, ...place }, 'sweep', signal);
};
const done: StepResult = { outcome: 'done', message: 'The service was updated' };
const hashTag = (spec: Spec) => ({
  key: 'landlord.spec_hash',
  value: appliedMark(desireService(spec, operator)),
});

describe('a service that is not there', () => {
  test('is asked for after it was noted that it may appear', async () => {
    const ecs = memoryEcs();
    const { step, noted } = await converge(ecs, tenantSpec());
    expect(step).toEqual({ outcome: 'done', message: `Service ${name} was created` });
    expect(noted).toEqual({ creates: [name], revisions: [] });
    expect(written(ecs)).toEqual([
      ['createService', expect.objectContaining({ taskDefinition: baseArn, desiredCount: 1 })],
    ]);
  });

  test('runs a revision of its own where containers are named, which is noted', async () => {
    const ecs = memoryEcs();
    const { noted } = await converge(ecs, image('app:1'));
    expect(noted.revisions).toEqual(['acme']);
    expect(ecs.calls.map((call) => call.name)).toEqual([
      'describeService',
      'listTaskDefinitions',
      'describeTaskDefinition',
      'registerTaskDefinition',
      'createService',
    ]);
  });

  test.each<[answer: 'exists' | 'draining', step: StepResult]>([
    [
      'exists',
      {
        outcome: 'in_progress',
        message: `Waiting until ECS shows the service ${name}`,
        lookAgainAfterMs: 2_000,
      },
    ],
    [
      'draining',
      {
        outcome: 'in_progress',
        message: `Waiting for the old service ${name} to drain: ECS does not give its name away before`,
        lookAgainAfterMs: 3_000,
      },
    ],
  ])('and of which ECS says %s is waited for', async (answer, step) => {
    expect(
      (await converge(memoryEcs(), tenantSpec(), { api: { createService: async () => answer } })).step,
    ).toEqual(step);
  });

  test('and turns out to be somebody else’s is a conflict', async () => {
    const ecs = memoryEcs({ hiddenFor: 2 });
    await ecs.createService(
      { region: 'us-west-2' },
      { cluster: clusterArn, serviceName: name, taskDefinition: baseArn },
      signal,
    );
    const waiting = { outcome: 'in_progress', lookAgainAfterMs: 2_000 };
    expect((await converge(ecs, tenantSpec())).step).toMatchObject(waiting);
    await expect(converge(ecs, tenantSpec())).rejects.toMatchObject({
      code: 'ProviderConflict',
      message: `service ${name} exists and was not made by Landlord. Delete it, or give the tenant another tenantId or service_name`,
    });
  });

  test.each(['ProvisionFailed', 'UpdateFailed'] as const)('nor its cluster is %s', async (failure) => {
    await expect(converge(memoryEcs({ hasCluster: false }), tenantSpec(), { failure })).rejects.toMatchObject(
      {
        code: failure,
        message: `there is no ECS cluster ${clusterArn}`,
      },
    );
  });

  test('is not made where only what ran before is to be kept', async () => {
    const ecs = memoryEcs();
    expect((await converge(ecs, tenantSpec(), { hold: true })).step).toMatchObject({ outcome: 'done' });
    expect(written(ecs)).toEqual([]);
  });

  test('any more gives its name, and its birth to the token', async () => {
    const ecs = await started(tenantSpec(), { status: 'INACTIVE', createdAt: new Date(7) });
    const token = async () => {
      await converge(ecs, tenantSpec());
      const call = ecs.calls.findLast(({ name: call }) => call === 'createService');
      Object.assign(ecs.service(name) ?? {}, { status: 'INACTIVE', createdAt: new Date(8) });
      return (call?.input as { clientToken: string } | undefined)?.clientToken;
    };
    const first = await token();
    expect(await token()).not.toBe(first);
  });
});

test.each([false, true])(
  'a service that drains is waited for (hold: %j), and nothing is written',
  async (hold) => {
    const ecs = await started(tenantSpec(), {}, { drainsFor: 1 });
    await ecs.deleteService({ scope: { region: 'us-west-2' }, ...place }, anyConsent, signal);
    ecs.calls.length = 0;
    expect((await converge(ecs, tenantSpec({ desired_count: 3 }), { hold })).step).toMatchObject({
      outcome: 'in_progress',
      message: expect.stringContaining('to drain'),
      lookAgainAfterMs: 3_000,
    });
    expect(written(ecs)).toEqual([]);
  },
);

describe('an update', () => {
  const onSubnet = { awsvpcConfiguration: { subnets: ['subnet-1'], assignPublicIp: 'DISABLED' } };
  test.each<[what: string, from: Spec, to: Spec, update: object | undefined, tags: object[]]>([
    ['the count', tenantSpec(), tenantSpec({ desired_count: 3 }), { desiredCount: 3 }, []],
    [
      'the count beside a network that stays',
      tenantSpec({ subnets: ['subnet-1'] }),
      tenantSpec({ subnets: ['subnet-1'], desired_count: 3 }),
      { desiredCount: 3 },
      [],
    ],
    [
      'the network',
      tenantSpec(),
      tenantSpec({ subnets: ['subnet-1'] }),
      { networkConfiguration: onSubnet },
      [],
    ],
    [
      'a tag',
      tenantSpec(),
      tenantSpec({ tags: { team: 'a' } }),
      undefined,
      [
        { key: 'team', value: 'a' },
        { key: 'landlord.tag_marks', value: 'ca8b22d0db83a22d' },
      ],
    ],
    [
      'a drain',
      tenantSpec(),
      tenantSpec({ drain: true }),
      undefined,
      [{ key: 'landlord.drain', value: 'true' }],
    ],
    [
      'all of these',
      tenantSpec({ desired_count: 1 }),
      tenantSpec({ desired_count: 3, subnets: ['subnet-1'], tags: { team: 'a' } }),
      { desiredCount: 3, networkConfiguration: onSubnet },
      [
        { key: 'team', value: 'a' },
        { key: 'landlord.tag_marks', value: 'ca8b22d0db83a22d' },
      ],
    ],
  ])(
    'of %s is one call that says no more than that, and then the tags that lack',
    async (_what, from, to, update, tags) => {
      const ecs = await started(from);
      expect((await converge(ecs, to)).step).toEqual(done);
      const updates = update === undefined ? [] : [['updateService', { ...place, ...update }]];
      expect(written(ecs)).toEqual([...updates, ['tagResource', [...tags, hashTag(to)]]]);
      ecs.calls.length = 0;
      expect((await converge(ecs, to)).step).toEqual({
        outcome: 'done',
        message: 'The service is as desired',
      });
      expect(ecs.calls.map((call) => call.name)).toEqual(['describeService']);
    },
  );

  test('of the image registers a revision, is told to the service, and is marked after that', async () => {
    const ecs = await started(image('app:1'));
    await converge(ecs, image('app:2'));
    const arn = [...ecs.taskDefinitions.keys()].at(-1) ?? '';
    const { overlay } = desireService(image('app:2'), operator);
    expect(written(ecs)).toEqual([
      ['registerTaskDefinition', expect.anything()],
      ['updateService', { ...place, taskDefinition: arn }],
      [
        'tagResource',
        [
          { key: 'landlord.task_definition', value: `${overlay?.hash} ${arn.split('/')[1]}` },
          hashTag(image('app:2')),
        ],
      ],
    ]);
  });

  test('that keeps the task definition does not look at it', async () => {
    const ecs = await started(image('app:1'));
    await converge(ecs, image('app:1', { desired_count: 3 }));
    expect(ecs.calls.map((call) => call.name)).toEqual(['describeService', 'updateService', 'tagResource']);
  });

  test('takes away what nobody asks for any more in one call, before it writes what lacks', async () => {
    const before = tenantSpec({ drain: true, tags: { team: 'a' } }, { containers: [containerSpec('app')] });
    const ecs = await started(before);
    await converge(ecs, tenantSpec());
    expect(written(ecs)).toMatchObject([
      ['updateService', { ...place, taskDefinition: baseArn }],
      ['untagResource', ['team', 'landlord.tag_marks', 'landlord.task_definition', 'landlord.drain']],
      ['tagResource', [hashTag(tenantSpec())]],
    ]);
  });

  test('only of tags leaves out the call that would write none', async () => {
    const spec = tenantSpec({ tags: { team: 'a' } });
    const ecs = await started(spec);
    ecs.service(name)?.tags?.push({ key: 'landlord.drain', value: 'true' });
    await converge(ecs, spec);
    expect(written(ecs)).toEqual([['untagResource', ['landlord.drain']]]);
  });

  test('of what somebody changed puts the breaker and the percentages back', async () => {
    const ecs = await started(tenantSpec(), { deploymentConfiguration: { maximumPercent: 150 } });
    await converge(ecs, tenantSpec());
    expect(written(ecs)).toEqual([
      [
        'updateService',
        {
          ...place,
          deploymentConfiguration: {
            deploymentCircuitBreaker: { enable: true, rollback: true },
            maximumPercent: 200,
            minimumHealthyPercent: 100,
          },
        },
      ],
    ]);
  });

  const family = baseArn.replace(/:12$/, '');
  test('to a family runs whichever of it there is', async () => {
    const ecs = await started(tenantSpec());
    const spec = tenantSpec({ task_definition_arn: family });
    await converge(ecs, spec);
    expect(written(ecs)).toEqual([['tagResource', [hashTag(spec)]]]);
  });

  test('to a family from another one names it', async () => {
    const ecs = await started(image('app:1'));
    await converge(ecs, tenantSpec({ task_definition_arn: family }));
    expect(written(ecs)[0]).toEqual(['updateService', { ...place, taskDefinition: family }]);
  });

  test('from a family to a revision names that', async () => {
    const ecs = await started(tenantSpec({ task_definition_arn: family }));
    const arn = ecs.addTaskDefinition({ family: 'tenant-app' });
    await converge(ecs, tenantSpec({ task_definition_arn: arn }));
    expect(written(ecs)[0]).toEqual(['updateService', { ...place, taskDefinition: arn }]);
  });

  test.each<[answer: 'missing' | 'inactive', step: object]>([
    [
      'missing',
      {
        outcome: 'in_progress',
        message: `The service ${name} went away meanwhile: it is made anew`,
        lookAgainAfterMs: 2_000,
      },
    ],
    [
      'inactive',
      { outcome: 'in_progress', message: expect.stringContaining('to drain'), lookAgainAfterMs: 3_000 },
    ],
  ])('of a service that is %s by then marks nothing', async (answer, step) => {
    const ecs = await started(tenantSpec());
    const api = { updateService: async () => answer };
    expect((await converge(ecs, tenantSpec({ desired_count: 3 }), { api })).step).toEqual(step);
    expect(written(ecs)).toEqual([]);
  });

  test('on a cluster that went away fails by its name', async () => {
    const ecs = await started(tenantSpec());
    const api = { updateService: async () => 'cluster-gone' as const };
    await expect(converge(ecs, tenantSpec({ desired_count: 3 }), { api })).rejects.toMatchObject({
      code: 'UpdateFailed',
      message: `there is no ECS cluster ${clusterArn}`,
    });
  });
});

describe('another launch type', () => {
  const toFargate = {
    capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    forceNewDeployment: true,
  };
  const spot = [{ capacityProvider: 'FARGATE_SPOT' }];

  test('is given to the service by a capacity provider, with the rest of the update', async () => {
    const ecs = await started(image('app:1', { launch_type: 'EC2' }));
    const to = image('app:2', { launch_type: 'FARGATE' });
    expect((await converge(ecs, to)).step).toEqual(done);
    const arn = [...ecs.taskDefinitions.keys()].at(-1);
    expect(written(ecs)[1]).toEqual(['updateService', { ...place, taskDefinition: arn, ...toFargate }]);
    ecs.calls.length = 0;
    await converge(ecs, to);
    expect(written(ecs)).toEqual([]);
  });

  test('that somebody gave the service is given back, where no edit of the spec comes between', async () => {
    const spec = tenantSpec({ launch_type: 'FARGATE' });
    const ecs = await started(spec, { launchType: undefined, capacityProviderStrategy: spot });
    await converge(ecs, spec);
    expect(written(ecs)).toEqual([['updateService', { ...place, ...toFargate }]]);
  });

  test('that somebody gave a service of EC2 is given back by leaving out all providers', async () => {
    const spec = tenantSpec({ launch_type: 'EC2' });
    const ecs = await started(spec, { launchType: undefined, capacityProviderStrategy: spot });
    await converge(ecs, spec);
    expect(written(ecs)).toEqual([
      ['updateService', { ...place, capacityProviderStrategy: [], forceNewDeployment: true }],
    ]);
    expect(ecs.service(name)?.launchType).toBe('EC2');
  });

  test('that somebody gave the service is no business of an edit of a tag', async () => {
    const ecs = await started(tenantSpec({ launch_type: 'FARGATE' }), {
      launchType: undefined,
      capacityProviderStrategy: spot,
    });
    const to = tenantSpec({ launch_type: 'FARGATE', tags: { team: 'a' } });
    expect((await converge(ecs, to)).step).toEqual(done);
    expect(written(ecs).map((call) => (call as unknown[])[0])).toEqual(['tagResource']);
  });

  test('that no capacity provider stands for deletes the service, once its successor’s revision is there', async () => {
    const ecs = await started(image('app:1', { launch_type: 'FARGATE' }));
    const { step } = await converge(ecs, image('app:2', { launch_type: 'EC2' }));
    expect(step).toEqual({
      outcome: 'in_progress',
      message:
        `Replacing the service ${name}: ECS can't change its launch type from FARGATE to EC2, ` +
        'so it is drained and made anew. With another service_name the new one would come first',
      lookAgainAfterMs: 3_000,
    });
    expect(written(ecs).map((call) => (call as unknown[])[0])).toEqual([
      'registerTaskDefinition',
      'deleteService',
    ]);
  });

  test('that ECS can’t give needs consent to an outage', async () => {
    const ecs = await started(tenantSpec({ launch_type: 'FARGATE' }));
    const to = tenantSpec({ launch_type: 'EC2' });
    await expect(converge(ecs, to, { permit: permitUpTo('replace') })).rejects.toMatchObject({
      code: 'ApprovalRequired',
    });
    expect(written(ecs)).toEqual([]);
  });
});

describe('security groups', () => {
  const listed = tenantSpec({ subnets: ['subnet-1'], security_groups: ['sg-1'] });
  test.each([
    ['emptied', tenantSpec({ subnets: ['subnet-1'], security_groups: [] })],
    ['left out', tenantSpec({ subnets: ['subnet-1'] })],
  ])('that were %s give way to the VPC’s own, once', async (_what, to) => {
    const ecs = await started(listed);
    await converge(ecs, to);
    expect(ecs.service(name)?.networkConfiguration?.awsvpcConfiguration?.securityGroups).toEqual([
      'sg-default',
    ]);
    ecs.calls.length = 0;
    await converge(ecs, to);
    expect(written(ecs)).toEqual([]);
  });

  test('that were never named are not touched by an edit of a tag', async () => {
    const ecs = await started(tenantSpec({ subnets: ['subnet-1'] }));
    await converge(ecs, tenantSpec({ subnets: ['subnet-1'], tags: { team: 'a' } }));
    expect(written(ecs).map((call) => (call as unknown[])[0])).toEqual(['tagResource']);
  });
});

describe('a rollout that failed', () => {
  const failed = (ecs: MemoryEcs) => {
    const [primary] = ecs.service(name)?.deployments ?? [];
    Object.assign(primary ?? {}, { rolloutState: 'FAILED' });
  };

  test('with nothing before it is done again, by force', async () => {
    const ecs = await started(tenantSpec());
    failed(ecs);
    const api = { describeService: async () => structuredClone(ecs.service(name)) };
    expect((await converge(ecs, tenantSpec(), { api })).step).toEqual(done);
    expect(written(ecs)).toEqual([['updateService', { ...place, forceNewDeployment: true }]]);
  });

  test('is left alone where it is to be kept', async () => {
    const ecs = await started(tenantSpec());
    failed(ecs);
    const api = { describeService: async () => structuredClone(ecs.service(name)) };
    await converge(ecs, tenantSpec(), { api, hold: true });
    expect(written(ecs)).toEqual([]);
  });
});

describe('what is only kept running', () => {
  const spec = image('crash:1', { desired_count: 2, drain: true, tags: { team: 'a' } });
  const rejected = { key: 'landlord.spec_hash', value: `rejected:${desireService(spec, operator).specHash}` };
  /** ECS went back from `spec` to what ran before it. */
  const rolledBack = async (change: Partial<Service> = {}): Promise<MemoryEcs> => {
    const ecs = await started(image('app:1', { desired_count: 2, drain: true, tags: { team: 'a' } }));
    const before = ecs.service(name)?.taskDefinition;
    await converge(ecs, spec);
    Object.assign(ecs.service(name) ?? {}, { taskDefinition: before, ...change });
    ecs.calls.length = 0;
    return ecs;
  };

  test('is marked as rejected, and its task definition is not touched', async () => {
    const ecs = await rolledBack();
    expect((await converge(ecs, spec, { hold: true })).step).toEqual({
      outcome: 'done',
      message: 'What ran before is kept running',
    });
    expect(written(ecs)).toEqual([['tagResource', [rejected]]]);
    ecs.calls.length = 0;
    await converge(ecs, spec, { hold: true });
    expect(written(ecs)).toEqual([]);
  });

  test('gets back its count and its tags', async () => {
    const ecs = await rolledBack({ desiredCount: 7 });
    ecs.service(name)?.tags?.splice(0, 1);
    await converge(ecs, spec, { hold: true });
    expect(written(ecs)).toEqual([
      ['updateService', { ...place, desiredCount: 2 }],
      ['tagResource', [{ key: 'team', value: 'a' }, rejected]],
    ]);
  });

  test('keeps the network that ECS went back to, whatever else is put right', async () => {
    const config = { subnets: ['subnet-1'], desired_count: 2 };
    const onBad = image('app:1', { ...config, subnets: ['subnet-bad'] });
    const ecs = await started(image('app:1', config));
    await converge(ecs, onBad);
    await untilRolledBack(ecs);
    Object.assign(ecs.service(name) ?? {}, { desiredCount: 7 });
    ecs.calls.length = 0;
    await converge(ecs, onBad, { hold: true });
    expect(written(ecs)).toEqual([
      ['updateService', { ...place, desiredCount: 2 }],
      [
        'tagResource',
        [{ key: 'landlord.spec_hash', value: `rejected:${desireService(onBad, operator).specHash}` }],
      ],
    ]);
  });

  test('is not marked as rejected where it runs what was asked for', async () => {
    const ecs = await started(image('app:1'));
    await converge(ecs, image('app:1'), { hold: true });
    expect(written(ecs)).toEqual([]);
  });

  test('is left alone where it comes from another desired state', async () => {
    const ecs = await started(image('app:1'));
    await converge(ecs, image('app:2', { desired_count: 9 }), { hold: true });
    expect(written(ecs)).toEqual([]);
  });
});

describe('a bound on what tenants may use', () => {
  const bounded = (cpu: string, memory: string) =>
    settings(
      {},
      {},
      {
        allowed_images: ['none'],
        max_resources: { cpu, memory },
        default_resources: { cpu: '', memory: '' },
      },
    );
  const sized = (over: object) => {
    const ecs = memoryEcs();
    const found = ecs.taskDefinitions.get(baseArn)?.taskDefinition;
    Object.assign(found ?? {}, over);
    return ecs;
  };
  const containers = (...of: object[]) => ({
    containerDefinitions: of.map((over, index) => ({ name: `c${index}`, ...over })),
  });

  test.each<[what: string, over: object, cpu: string, memory: string, count: number, end: string]>([
    ['no bound', {}, '', '', 1, 'taken'],
    ['the size of the task', { cpu: '512', memory: '1024' }, '1', '2Gi', 2, 'taken'],
    ['the size of the task, too often', { cpu: '512', memory: '1024' }, '1', '', 3, 'max_resources.cpu'],
    [
      'the memory of the task, too often',
      { cpu: '512', memory: '1024' },
      '',
      '2Gi',
      3,
      'max_resources.memory',
    ],
    ['the sum of its containers', containers({ cpu: 512 }, { cpu: 512 }), '1', '', 1, 'taken'],
    [
      'the sum of its containers, too much',
      containers({ cpu: 512 }, { cpu: 513 }),
      '1',
      '',
      1,
      'max_resources.cpu',
    ],
    ['their memory', containers({ memory: 512 }, { memory: 512 }), '', '1Gi', 1, 'taken'],
    [
      'their memory, too much',
      containers({ memory: 512 }, { memory: 513 }),
      '',
      '1Gi',
      1,
      'max_resources.memory',
    ],
    [
      'a container without a limit',
      containers({ cpu: 512 }, { cpu: 0 }),
      '1',
      '',
      1,
      'max_resources.cpu: container c1 of tenant-app:12 names no cpu',
    ],
    ['a container without memory', containers({ cpu: 512 }), '', '1Gi', 1, 'max_resources.memory'],
    ['a task with CPU alone', { cpu: '512', ...containers({ cpu: 2048 }) }, '1', '', 1, 'max_resources.cpu'],
    [
      'a task with memory alone',
      { memory: '512', ...containers({ memory: 2048 }) },
      '',
      '1Gi',
      1,
      'max_resources.memory',
    ],
    ['a task of nothing', { containerDefinitions: undefined }, '1', '', 1, 'taken'],
  ])('counts for a named task definition, too: %s', async (_what, over, cpu, memory, count, end) => {
    const told = converge(sized(over), tenantSpec({ desired_count: count }), {
      by: bounded(cpu, memory),
    }).then(
      () => 'taken',
      ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
    );
    await expect(told).resolves.toMatch(
      end === 'taken' ? /^taken$/ : new RegExp(`^PolicyDenied: policy\\.${end}`),
    );
  });

  test('needs the task definition to be there, and asks for it once', async () => {
    const ecs = memoryEcs();
    await converge(ecs, tenantSpec(), { by: bounded('', '') });
    expect(ecs.calls.map((call) => call.name)).toEqual(['describeService', 'createService']);
    ecs.taskDefinitions.clear();
    ecs.services.clear();
    await expect(converge(ecs, tenantSpec(), { by: bounded('1', '') })).rejects.toMatchObject({
      code: 'InvalidSpec',
      message: expect.stringContaining(`there is no task definition ${baseArn}`),
    });
  });

  test('counts one task where autoscaling has the count', async () => {
    const ecs = sized({ cpu: '1024', memory: '1024' });
    await expect(converge(ecs, tenantSpec(), { by: bounded('1', '') })).resolves.toBeDefined();
  });
});
