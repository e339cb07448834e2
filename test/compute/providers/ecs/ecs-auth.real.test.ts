import { setTimeout as sleep } from 'node:timers/promises';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { startCountingProxy } from '../../../../dev/counting-proxy.ts';
import type { CountingProxy } from '../../../../dev/counting-proxy.ts';
import { rootCredentials, startMinistack } from '../../../../dev/ecs-endpoint.ts';
import type { EcsEndpoint } from '../../../../dev/ecs-endpoint.ts';
import { createEcsFixture } from '../../../../dev/ecs-endpoint-fixture.ts';
import type { EcsFixture } from '../../../../dev/ecs-endpoint-fixture.ts';
import type { EcsApi } from '../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import type { EcsScope } from '../../../../src/compute/providers/ecs/address/service-target.ts';
import type { EcsClientOptions } from '../../../../src/compute/providers/ecs/engine/ecs-client.ts';
import { never, testClient } from './client-fixture.ts';

describe('the ECS client, where credentials are checked', () => {
  let ministack: EcsEndpoint;
  let proxy: CountingProxy;
  let fixture: EcsFixture;
  let roleArn: string;
  let otherRoleArn: string;

  beforeAll(async () => {
    ministack = await startMinistack({ mode: 'metadata', auth: true });
    proxy = await startCountingProxy(ministack.url);
    fixture = await createEcsFixture(ministack.url);
    roleArn = await fixture.createRole({
      name: 'tenants',
      allow: ['ecs:*'],
      deny: ['ecs:CreateService'],
      externalId: 'only-the-operator-knows',
    });
    otherRoleArn = await fixture.createRole({ name: 'others', allow: ['ecs:*'] });
  });
  beforeEach(() => {
    proxy.calls.splice(0);
    vi.stubEnv('AWS_ACCESS_KEY_ID', rootCredentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', rootCredentials.secretAccessKey);
    vi.stubEnv('AWS_ENDPOINT_URL_STS', proxy.url);
    vi.stubEnv('AWS_ENDPOINT_URL_ECS', proxy.url);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });
  afterAll(async () => {
    fixture?.close();
    await proxy?.stop();
    await ministack?.stop();
  });

  function client(options: Partial<Omit<EcsClientOptions, 'block'>> = {}): EcsApi {
    const ecs = testClient({ cluster_arn: fixture.clusterArn }, options);
    onTestFinished(() => ecs.close());
    return ecs;
  }
  const known = { role_arn: '', external_id: 'only-the-operator-knows', session_name: 'landlord-prod' };
  const policy = () => ({ allowed_roles: [{ ...known, role_arn: roleArn }] });
  const read = (ecs: EcsApi, scope: EcsScope) =>
    ecs.describeService({ scope, cluster: fixture.clusterArn, service: 'any' }, 'user', never);
  const stsCalls = () => proxy.calls.filter(({ operation }) => operation === 'AssumeRole');
  const scopeOf = (role: string): EcsScope => ({ region: fixture.region, roleArn: role });

  test("assumes a role with the operator's external id and session name, once for many calls", async () => {
    const ecs = client({ policy: policy() });
    await Promise.all([
      read(ecs, scopeOf(roleArn)),
      ecs.listTaskDefinitions(scopeOf(roleArn), 'none', never),
    ]);
    await expect(read(ecs, scopeOf(roleArn))).resolves.toBeUndefined();
    expect(stsCalls()).toHaveLength(1);
    expect(stsCalls()[0]?.input).toMatchObject({
      ExternalId: 'only-the-operator-knows',
      RoleSessionName: 'landlord-prod',
    });
  });

  test("assumes tenants' roles with the role of the operator's block, where it names one", async () => {
    const hub = await fixture.createRole({ name: 'hub', allow: ['sts:AssumeRole'] });
    const ecs = testClient(
      { cluster_arn: fixture.clusterArn, assume_role: { role_arn: hub } },
      { policy: policy() },
    );
    onTestFinished(() => ecs.close());
    await read(ecs, scopeOf(roleArn));
    expect(stsCalls().map(({ input }) => input['RoleArn'])).toEqual([hub, roleArn]);
    const signers = stsCalls().map(({ accessKeyId }) => accessKeyId);
    expect(signers[0]).toBe(rootCredentials.accessKeyId);
    expect(signers[1]).not.toBe(rootCredentials.accessKeyId);
  });

  test('a role that can’t be assumed is AccessDenied, and says what both of its policies must allow', async () => {
    await expect(read(client(), scopeOf(roleArn))).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringMatching(
        /^Role \S+:role\/tenants can't be assumed: let its trust policy .*external_id/,
      ),
    });
    expect(proxy.calls.filter(({ operation }) => operation.startsWith('Describe'))).toEqual([]);
  });

  test('an action that the role may not do is AccessDenied, and names both', async () => {
    const ecs = client({ policy: policy() });
    const input = {
      cluster: fixture.clusterArn,
      serviceName: 'denied',
      taskDefinition: fixture.taskDefinitionArn,
    };
    await expect(ecs.createService(scopeOf(roleArn), input, never)).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringMatching(
        /^ECS in us-west-2 denies ecs:CreateService.* to role \S+:role\/tenants.*: allow ecs:CreateService in its IAM policy$/,
      ),
    });
  });

  test('credentials that expire after 2 s are fetched again before a call fails with them', async () => {
    const ecs = client({ policy: policy(), sessionSeconds: 2 });
    await read(ecs, scopeOf(roleArn));
    await sleep(2_500);
    await expect(read(ecs, scopeOf(roleArn))).resolves.toBeUndefined();
    const refused = proxy.calls.filter(({ status }) => status !== 200);
    expect(refused).toEqual([]);
  });

  test('two roles, and two regions, share neither clients nor credentials', async () => {
    const ecs = client({ policy: policy() });
    const scopes = [
      scopeOf(roleArn),
      scopeOf(otherRoleArn),
      { region: 'eu-west-1', roleArn },
      { region: 'eu-west-1' },
    ];
    for (const scope of scopes) await read(ecs, scope).catch(() => undefined);
    const calls = proxy.calls.filter(({ operation }) => operation === 'DescribeServices');
    expect(calls.map(({ region }) => region)).toEqual(['us-west-2', 'us-west-2', 'eu-west-1', 'eu-west-1']);
    expect(new Set(calls.map(({ accessKeyId }) => accessKeyId)).size).toBe(4);
    expect(calls[3]?.accessKeyId).toBe(rootCredentials.accessKeyId);
  });

  /** Of the role, put where the SDK looks first: nobody knows when they expire. */
  async function stubSession(seconds: number): Promise<void> {
    const { accessKeyId, secretAccessKey, sessionToken } = await fromTemporaryCredentials({
      masterCredentials: rootCredentials,
      params: {
        RoleArn: roleArn,
        RoleSessionName: 'test',
        ExternalId: known.external_id,
        DurationSeconds: seconds,
      },
      clientConfig: { endpoint: ministack.url, region: fixture.region },
    })();
    vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
    vi.stubEnv('AWS_SESSION_TOKEN', sessionToken ?? '');
  }

  test('credentials that have expired are AccessDenied, and asked to be replaced', async () => {
    await stubSession(1);
    await sleep(1_500);
    await expect(read(client(), { region: fixture.region })).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringMatching(/ExpiredToken\w*\): they expired; give the operator fresh ones$/),
    });
  });

  test('operator credentials that are replaced in place are taken up by the call that finds the old ones expired', async () => {
    await stubSession(1);
    await sleep(1_500);
    let nowMs = 0;
    const ecs = client({ now: () => nowMs });
    await expect(read(ecs, { region: fixture.region })).rejects.toMatchObject({ code: 'AccessDenied' });
    await stubSession(900);
    // Renewals are a while apart.
    nowMs += 60_000;
    await expect(read(ecs, { region: fixture.region })).resolves.toBeUndefined();
  });

  test('a wrong secret is AccessDenied, and makes one look at the secret and the clock', async () => {
    await stubSession(900);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
    await expect(read(client(), { region: fixture.region })).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringMatching(/Signature\w*\): is the secret key right, and the operator's clock\?$/),
    });
  });

  test('a key that AWS does not know is AccessDenied, and says what to check', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAUNKNOWN');
    await expect(read(client(), { region: fixture.region })).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringMatching(/are they of this account, and still valid\?$/),
    });
  });
});
