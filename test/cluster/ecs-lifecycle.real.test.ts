import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import {
  CreateServiceCommand,
  DeleteServiceCommand,
  TagResourceCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { ecsWrites, openEcsPolicy, startEcsBench, tagsOf } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import type { TestOperator, TestOperatorOptions } from './test-operator.ts';
import { until } from '../until.ts';

const ready = (tenant: Tenant) => findCondition(tenant.status?.conditions, 'Ready');

describe('the documented configuration and compute_config', () => {
  let bench: EcsBench;
  let operator: TestOperator;

  beforeAll(async () => {
    bench = await startEcsBench({
      prefix: 'documented',
      // A key of 12 digits is an account of its own.
      fixture: {
        cluster: 'landlord',
        credentials: { accessKeyId: '123456789012', secretAccessKey: 'test' },
      },
    });
    for (let revision = 2; revision <= 12; revision += 1)
      await bench.fixture.registerTaskDefinition(`registry.example/app:${revision}`);
    const ecs = {
      cluster_arn: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord',
      task_definition_arn: 'arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12',
      service_name_prefix: 'landlord-tenant-',
      endpoint: bench.proxy.url,
    };
    const policy = {
      ecs: { allowed_subnets: ['subnet-123', 'subnet-456'], allowed_security_groups: ['sg-123'] },
    };
    operator = bench.operator({ compute: { ecs, mock: {} }, config: { policy } });
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  test.concurrent('are taken as they stand there', async () => {
    const computeConfig = {
      ecs: {
        cluster_arn: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord',
        task_definition_arn: 'arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12',
        desired_count: 1,
        launch_type: 'FARGATE',
        subnets: ['subnet-123', 'subnet-456'],
        security_groups: ['sg-123'],
        assign_public_ip: true,
        service_name_prefix: 'landlord-tenant-',
      },
    };
    await bench.ns.create('whole', { computeConfig }, { labels: { compute_provider: 'ecs' } });
    await bench.ns.untilReady('whole');
    const call = bench.calls('CreateService').find((made) => bench.concerns(made, 'whole'));
    expect(call?.input).toMatchObject({
      cluster: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord',
      serviceName: bench.serviceName('whole'),
      taskDefinition: 'arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12',
      desiredCount: 1,
      launchType: 'FARGATE',
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: ['subnet-123', 'subnet-456'],
          securityGroups: ['sg-123'],
          assignPublicIp: 'ENABLED',
        },
      },
      deploymentConfiguration: {
        deploymentCircuitBreaker: { enable: true, rollback: true },
        minimumHealthyPercent: 100,
        maximumPercent: 200,
      },
    });
    expect(await bench.service('whole')).toMatchObject({ runningCount: 1, status: 'ACTIVE' });
  });

  test.concurrent(
    "are merged with the operator's: what the tenant leaves out is the operator's",
    async () => {
      const computeConfig = { ecs: { subnets: ['subnet-123'], desired_count: 2 } };
      await bench.ns.create('merged', { computeConfig }, { annotations: { compute_provider_type: 'ecs' } });
      const tenant = await bench.ns.untilReady('merged');
      expect(await bench.service('merged')).toMatchObject({
        desiredCount: 2,
        taskDefinition: 'arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12',
      });
      expect(tenant.status?.compute).toMatchObject({ state: 'running', running: 2, desired: 2 });
    },
  );
});

describe('a Tenant on ECS', () => {
  let bench: EcsBench;
  let operator: TestOperator;

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'ecs' });
    operator = bench.operator({
      config: {
        controller: { namespaces: [bench.ns.name], resync_interval: '3s' },
        policy: {
          ecs: {
            ...openEcsPolicy,
            allowed_target_groups: ['*'],
            allowed_keys: ['enable_execute_command'],
          },
        },
      },
    });
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  const { update, reconcile, handled, writes } = toolsOf(() => bench);

  test.concurrent('is one service that bears its owner, and nothing is left when it is deleted', async () => {
    const { ns } = bench;
    await ns.create('first', {});
    const tenant = await ns.untilReady('first');
    expect(tagsOf(await bench.service('first'))).toMatchObject({
      'landlord.owner': ns.name,
      'landlord.tenant_id': defaultTenantId(ns.name, 'first'),
      'landlord.tenant_namespace': ns.name,
      'landlord.tenant_name': 'first',
    });
    expect(tenant.status?.compute?.resourceIds).toMatchObject({
      service: (await bench.service('first'))?.serviceArn,
      taskDefinition: bench.fixture.taskDefinitionArn,
    });
    await ns.delete('first');
    await ns.untilGone('first');
    expect(await bench.service('first')).not.toMatchObject({ status: 'ACTIVE' });
    expect(writes('first')).toEqual(['CreateService', 'DeleteService']);
  });

  test.concurrent(
    'with containers of its own runs a revision of its own, of which nothing is left either',
    async () => {
      const { ns } = bench;
      const containers = [
        {
          name: 'app',
          image: 'registry.example/other:2',
          env: [{ name: 'LOG_LEVEL', value: 'debug' }],
          resources: { cpu: '500m', memory: '300Mi' },
        },
      ];
      await ns.create('overlaid', { containers });
      const tenant = await ns.untilReady('overlaid');
      const registrations = () => bench.calls('RegisterTaskDefinition');
      const [registered] = registrations();
      expect(registered?.input).toMatchObject({
        containerDefinitions: [
          {
            name: 'app',
            image: 'registry.example/other:2',
            environment: [{ name: 'LOG_LEVEL', value: 'debug' }],
          },
        ],
      });
      expect(tenant.status?.compute?.resourceIds?.['taskDefinition']).not.toBe(
        bench.fixture.taskDefinitionArn,
      );
      await reconcile('overlaid', 'again');
      await handled('overlaid', 'again');
      expect(registrations()).toHaveLength(1);
      await ns.delete('overlaid');
      await ns.untilGone('overlaid');
      expect(bench.calls('DeregisterTaskDefinition')).toHaveLength(1);
      expect(await bench.service('overlaid')).not.toMatchObject({ status: 'ACTIVE' });
    },
  );

  test.concurrent.each([
    ['desired count', (name: string) => update(name, { desiredCount: 3 })],
    [
      'task definition',
      async (name: string) =>
        update(name, {
          taskDefinition: await bench.fixture.registerTaskDefinition('registry.example/foreign:1'),
        }),
    ],
    [
      'tags',
      async (name: string) => {
        const { serviceArn } = (await bench.service(name)) ?? {};
        const tags = [{ key: 'team', value: 'foreign' }];
        await bench.fixture.client.send(new TagResourceCommand({ resourceArn: serviceArn, tags }));
      },
    ],
  ] as const)('whose %s a foreigner edits gets it back, or shows it under Report', async (what, edit) => {
    const { ns } = bench;
    const name = what.replaceAll(' ', '-');
    const spec = { computeConfig: { ecs: { desired_count: 2, tags: { team: 'a' } } } };
    const names = [name, `${name}-seen`] as const;
    await ns.create(names[0], spec);
    await ns.create(names[1], { ...spec, driftPolicy: 'Report' });
    await Promise.all(names.map((tenant) => ns.untilReady(tenant)));
    const owned = async (tenant: string) => {
      const service = await bench.service(tenant);
      const { desiredCount, taskDefinition } = service ?? {};
      return { desiredCount, taskDefinition, team: tagsOf(service)['team'] };
    };
    const before = await owned(name);
    await Promise.all(names.map((tenant) => edit(tenant)));
    const edited = await owned(names[1]);
    expect(edited).not.toEqual(before);
    await Promise.all(names.map((tenant) => reconcile(tenant, 'edited')));
    // While the tasks that a foreigner asked for come up, they are fewer than they should be: that is no drift.
    await ns.until(
      names[1],
      'Drifted and Ready',
      (tenant) =>
        (tenant.status?.drift ?? []).length > 0 &&
        findCondition(tenant.status?.conditions, 'Drifted')?.status === 'True' &&
        ready(tenant)?.status === 'True',
    );
    await until('as before', async () => isDeepStrictEqual(await owned(name), before));
    await ns.untilReady(name);
    expect(await owned(names[1])).toEqual(edited);
  });

  test.concurrent.each([
    ['no owner', undefined],
    ['another owner', [{ key: 'landlord.owner', value: 'somebody' }]],
  ] as const)('whose service bears %s is a conflict, also when it is deleted', async (what, tags) => {
    const { ns, fixture } = bench;
    const name = what.replaceAll(' ', '-');
    await fixture.client.send(
      new CreateServiceCommand({
        cluster: fixture.clusterArn,
        serviceName: bench.serviceName(name),
        taskDefinition: fixture.taskDefinitionArn,
        desiredCount: 1,
        ...(tags && { tags: [...tags] }),
      }),
    );
    const before = await bench.service(name);
    await ns.create(name, { computeConfig: { ecs: { desired_count: 3 } } });
    const tenant = await ns.untilReason(name, 'ProviderConflict');
    expect(findCondition(tenant.status?.conditions, 'Stalled')?.status).toBe('True');
    await ns.delete(name);
    await ns.untilGone(name);
    expect(await bench.service(name)).toEqual(before);
    expect(writes(name)).toEqual([]);
  });

  test.concurrent('is reached and run as its keys say, changed in place, and taken back', async () => {
    const { ns } = bench;
    const group = 'arn:aws:elasticloadbalancing:us-west-2:000000000000:targetgroup/reached/0123456789abcdef';
    const shown = async (keys: readonly string[]) => {
      const service = ((await bench.service('reached')) ?? {}) as Readonly<Record<string, unknown>>;
      return Object.fromEntries(keys.map((key) => [key, service[key]]));
    };
    const ecs = {
      desired_count: 2,
      load_balancers: [{ target_group_arn: group, container_name: 'app', container_port: 8080 }],
      health_check_grace_period_seconds: 30,
      enable_execute_command: true,
      deployment: { minimum_healthy_percent: 50 },
    };
    await ns.create('reached', { computeConfig: { ecs } });
    await ns.untilReady('reached');
    expect(await bench.service('reached')).toMatchObject({
      loadBalancers: [{ targetGroupArn: group, containerName: 'app', containerPort: 8080 }],
      healthCheckGracePeriodSeconds: 30,
      enableExecuteCommand: true,
      deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 200 },
    });
    const spot = [{ capacity_provider: 'FARGATE_SPOT', weight: 1 }];
    const edited = { health_check_grace_period_seconds: 60, capacity_provider_strategy: spot };
    await ns.patch('reached', { spec: { computeConfig: { ecs: edited } } });
    await until('changed in place', async () =>
      isDeepStrictEqual(await shown(['healthCheckGracePeriodSeconds', 'capacityProviderStrategy']), {
        healthCheckGracePeriodSeconds: 60,
        capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1, base: 0 }],
      }),
    );
    await ns.untilReady('reached');
    const names = Object.keys(ecs).filter((key) => key !== 'desired_count');
    const unset = Object.fromEntries(names.map((key) => [key, null]));
    await ns.patch('reached', { spec: { computeConfig: { ecs: unset } } });
    const live = ['loadBalancers', 'enableExecuteCommand'];
    await until('taken back', async () =>
      isDeepStrictEqual(await shown(live), { loadBalancers: [], enableExecuteCommand: false }),
    );
    await ns.untilReady('reached');
    const before = writes('reached');
    expect(before).not.toContain('DeleteService');
    await reconcile('reached', 'settled');
    await handled('reached', 'settled');
    expect(writes('reached')).toEqual(before);
  });

  test.concurrent('whose service somebody deleted gets another', async () => {
    const { ns, fixture } = bench;
    await ns.create('removed', {});
    await ns.untilReady('removed');
    const service = bench.serviceName('removed');
    await fixture.client.send(
      new DeleteServiceCommand({ cluster: fixture.clusterArn, service, force: true }),
    );
    await reconcile('removed', 'removed');
    await until('there again', async () => (await bench.service('removed'))?.status === 'ACTIVE');
    await ns.untilReady('removed');
    expect(writes('removed')).toEqual(['CreateService', 'CreateService']);
  });
});

describe('an operator that starts anew, with Tenants on ECS', () => {
  let bench: EcsBench;
  let operator: TestOperator;
  const start = (options: Partial<TestOperatorOptions> = {}): void => {
    operator = bench.operator(options);
  };

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'ecs-anew' });
    start();
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  const { update, reconcile, handled, writes } = toolsOf(() => bench);

  test('that is ready makes no write when it is reconciled again, by a restarted operator either', async () => {
    await bench.ns.create('quiet', { computeConfig: { ecs: { tags: { team: 'a' } } } });
    await bench.ns.untilReady('quiet');
    const made = writes('quiet').length;
    await reconcile('quiet', 'one');
    await handled('quiet', 'one');
    await operator.stop();
    start();
    await reconcile('quiet', 'two');
    await handled('quiet', 'two');
    expect(made).toBe(1);
    expect(writes('quiet')).toHaveLength(made);
  });

  test('without desired_count leaves the count to autoscaling', async () => {
    await operator.stop();
    const { desired_count: _, ...block } = bench.block as { desired_count: number };
    start({ compute: { ecs: block } });
    await bench.ns.create('scaled', {});
    await bench.ns.untilReady('scaled');
    expect(await bench.service('scaled')).toMatchObject({ desiredCount: 1 });
    await update('scaled', { desiredCount: 4 });
    const made = writes('scaled').length;
    for (const at of ['once', 'again']) {
      await reconcile('scaled', at);
      await handled('scaled', at);
    }
    const tenant = await bench.ns.untilReady('scaled');
    expect(tenant.status?.drift).toBeUndefined();
    expect(writes('scaled')).toHaveLength(made);
    expect(await bench.service('scaled')).toMatchObject({ desiredCount: 4 });
  });
});

describe("a Tenant that names what is not the operator's", () => {
  let bench: EcsBench;
  let operator: TestOperator;

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'ecs-policy' });
    vi.stubEnv('AWS_ENDPOINT_URL_STS', bench.proxy.url);
    operator = bench.operator({ config: { policy: {} } });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await operator?.stop();
    await bench?.close();
  });

  test('is refused by the policy, which says what would allow it, and no call at all is made for it', async () => {
    const { ns, proxy } = bench;
    const refused = [
      ['cluster_arn', 'arn:aws:ecs:us-west-2:000000000000:cluster/other', 'allowed_clusters'],
      ['region', 'eu-west-1', 'allowed_regions'],
      ['assume_role', { role_arn: 'arn:aws:iam::111111111111:role/admin' }, 'allowed_roles'],
      [
        'task_definition_arn',
        'arn:aws:ecs:us-west-2:000000000000:task-definition/admin:1',
        'allowed_task_definitions',
      ],
      ['subnets', ['subnet-999'], 'allowed_subnets'],
      ['security_groups', ['sg-999'], 'allowed_security_groups'],
      ['launch_type', 'EC2', 'allowed_launch_types'],
      ['tags', { team: 'a' }, 'allowed_tag_keys'],
      ['service_name', bench.serviceName('allowed'), 'allowed_service_names'],
      ['service_name_prefix', 'landlord-', 'allowed_service_name_prefixes'],
      ['desired_count', 101, 'max_desired_count'],
    ] as const;
    const nameOf = (key: string): string => `policy-${key.replaceAll('_', '-')}`;
    for (const [key, value] of refused)
      await ns.create(nameOf(key), { computeConfig: { ecs: { [key]: value } } });
    for (const [key, , rule] of refused) {
      const tenant = await ns.untilReason(nameOf(key), 'PolicyDenied');
      expect(ready(tenant)?.message).toContain(rule);
    }
    // Whether a Tenant without a place has left something is asked of the whole cluster, and names no service.
    const isAboutOne = ({ operation }: { operation: string }) => operation !== 'ListServices';
    expect(proxy.calls.filter(isAboutOne)).toEqual([]);
    // Another look changes nothing, and what may be called for is called for.
    for (const [key] of refused) await ns.patch(nameOf(key), { spec: { deletionPolicy: 'Retain' } });
    for (const [key] of refused)
      await ns.until(
        nameOf(key),
        'looked at again',
        ({ metadata, status }) => status?.observedGeneration === metadata.generation,
      );
    await ns.create('allowed', {});
    await ns.untilReady('allowed');
    expect(proxy.calls.filter(isAboutOne)).not.toEqual([]);
    // DescribeTasks names the tasks that ListTasks has told of, and no service.
    const named = proxy.calls.filter((call) => isAboutOne(call) && call.operation !== 'DescribeTasks');
    expect(named.filter((call) => !bench.concerns(call, 'allowed'))).toEqual([]);
  });
});

/** What a foreigner and a user do, and what the operator writes. */
function toolsOf(benchOf: () => EcsBench) {
  return {
    update: (tenant: string, change: Record<string, unknown>) => {
      const bench = benchOf();
      return bench.fixture.client.send(
        new UpdateServiceCommand({
          cluster: bench.fixture.clusterArn,
          service: bench.serviceName(tenant),
          ...change,
        }),
      );
    },
    reconcile: (tenant: string, at: string) =>
      benchOf().ns.patch(tenant, { metadata: { annotations: { [reconcileRequestedAt]: at } } }),
    handled: (tenant: string, at: string) =>
      benchOf().ns.until(tenant, `handled ${at}`, ({ status }) => status?.lastHandledReconcileAt === at),
    writes: (tenant: string) => {
      const bench = benchOf();
      return bench
        .calls(...ecsWrites)
        .filter((call) => bench.concerns(call, tenant))
        .map(({ operation }) => operation);
    },
  };
}
