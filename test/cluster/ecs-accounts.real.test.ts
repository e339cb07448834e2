import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import type { EcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import { rootCredentials } from '../../dev/ecs-endpoint.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import type { TestOperator } from './test-operator.ts';

describe('Tenants in two regions and under different roles', () => {
  let bench: EcsBench;
  let abroad: EcsFixture;
  let operator: TestOperator;
  const roles: Record<'one' | 'other' | 'weak' | 'wrong', string> = {
    one: '',
    other: '',
    weak: '',
    wrong: '',
  };

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'accounts', ministack: { auth: true } });
    const { fixture, endpoint, ns } = bench;
    abroad = await createEcsFixture(endpoint.url, { region: 'eu-west-1', cluster: ns.name });
    const allow = ['ecs:*'];
    roles.one = await fixture.createRole({ name: 'one', allow, externalId: 'first-secret' });
    roles.other = await fixture.createRole({ name: 'other', allow });
    roles.weak = await fixture.createRole({ name: 'weak', allow, deny: ['ecs:CreateService'] });
    roles.wrong = await fixture.createRole({ name: 'wrong', allow, externalId: 'second-secret' });
    process.env['AWS_ENDPOINT_URL_STS'] = bench.proxy.url;
    const policy = {
      ecs: {
        allowed_roles: [
          { role_arn: roles.one, external_id: 'first-secret', session_name: 'session-one' },
          { role_arn: roles.other },
          { role_arn: roles.weak },
          { role_arn: roles.wrong, external_id: 'not-the-secret' },
        ],
        allowed_clusters: [abroad.clusterArn],
        allowed_task_definitions: [abroad.taskDefinitionArn],
      },
    };
    operator = bench.operator({ config: { policy } });
  });
  afterAll(async () => {
    await operator?.stop();
    abroad?.close();
    await bench?.close();
    delete process.env['AWS_ENDPOINT_URL_STS'];
  });

  const create = (name: string, ecs: Record<string, unknown>) =>
    bench.ns.create(name, { computeConfig: { ecs } });
  const keysOf = (tenant: string): string[] => {
    const calls = bench.proxy.calls.filter(({ names }) => names.includes(bench.serviceName(tenant)));
    return [...new Set(calls.map(({ accessKeyId, region }) => `${accessKeyId} ${region}`))];
  };

  test('share no client and no credentials', async () => {
    await create('plain', {});
    await create('abroad', {
      cluster_arn: abroad.clusterArn,
      task_definition_arn: abroad.taskDefinitionArn,
    });
    await create('one', { assume_role: { role_arn: roles.one } });
    await create('other', { assume_role: { role_arn: roles.other } });
    const tenants = ['plain', 'abroad', 'one', 'other'];
    await Promise.all(tenants.map((tenant) => bench.ns.untilReady(tenant)));
    const keys = tenants.map(keysOf);
    expect(keys[0]).toEqual([`${rootCredentials.accessKeyId} us-west-2`]);
    expect(keys[1]).toEqual([`${rootCredentials.accessKeyId} eu-west-1`]);
    expect(keys[2]).toHaveLength(1);
    expect(keys[3]).toHaveLength(1);
    expect(new Set(keys.flat()).size).toBe(4);
    const assumed = bench.calls('AssumeRole').map(({ input }) => input);
    expect(assumed).toContainEqual(
      expect.objectContaining({
        RoleArn: roles.one,
        ExternalId: 'first-secret',
        RoleSessionName: 'session-one',
      }),
    );
    expect(assumed.find(({ RoleArn }) => RoleArn === roles.other)).not.toHaveProperty('ExternalId');
    expect(assumed).toHaveLength(2);
  });

  test('are told which action their role may not do, and which role may not be assumed', async () => {
    await create('weak', { assume_role: { role_arn: roles.weak } });
    await create('wrong', { assume_role: { role_arn: roles.wrong } });
    const messageOf = async (tenant: string) =>
      findCondition((await bench.ns.untilReason(tenant, 'AccessDenied')).status?.conditions, 'Ready')
        ?.message;
    expect(await messageOf('weak')).toContain('ecs:CreateService');
    const wrong = await messageOf('wrong');
    expect(wrong).toContain(roles.wrong);
    expect(wrong).not.toContain('not-the-secret');
  });

  test('reach no role, cluster or region that the policy does not list', async () => {
    const account = bench.fixture.clusterArn.split(':')[4] ?? '';
    const asks: Record<string, Record<string, unknown>> = {
      'unlisted-role': { assume_role: { role_arn: `arn:aws:iam::${account}:role/unlisted` } },
      'unlisted-cluster': { cluster_arn: `${bench.fixture.clusterArn}-unlisted` },
      'unlisted-region': { region: 'ap-south-1' },
    };
    for (const [name, block] of Object.entries(asks)) await create(name, block);
    for (const name of Object.keys(asks)) {
      await bench.ns.untilReason(name, 'PolicyDenied');
      expect(keysOf(name)).toEqual([]);
    }
    // Nor by a call that names no service.
    const reached = bench.proxy.calls.map(({ region, input }) => [region, input['cluster']]).flat();
    expect(reached).toContain(bench.fixture.clusterArn);
    expect(reached).not.toContain('ap-south-1');
    expect(reached).not.toContain(`${bench.fixture.clusterArn}-unlisted`);
    expect(bench.calls('AssumeRole').map(({ input }) => input['RoleArn'])).not.toContain(
      `arn:aws:iam::${account}:role/unlisted`,
    );
  });
});
