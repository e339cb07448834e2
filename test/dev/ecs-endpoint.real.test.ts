import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { startCountingProxy } from '../../dev/counting-proxy.ts';
import { dockerAt } from '../../dev/docker-at.ts';
import { createEcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import type { EcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import { rootCredentials, startMicroburst, startMinistack, startMoto } from '../../dev/ecs-endpoint.ts';
import type { EcsEndpoint } from '../../dev/ecs-endpoint.ts';
import { pushImage } from '../../dev/images.ts';

async function createService(fixture: EcsFixture, name: string, taskDefinition = fixture.taskDefinitionArn) {
  const { service } = await fixture.client.send(
    new CreateServiceCommand({
      cluster: fixture.clusterArn,
      serviceName: name,
      taskDefinition,
      desiredCount: 1,
      launchType: 'FARGATE',
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: fixture.subnets.slice(0, 1),
          securityGroups: fixture.securityGroups.slice(0, 1),
        },
      },
    }),
  );
  return service;
}

async function describeService({ client, clusterArn }: EcsFixture, name: string) {
  const { services } = await client.send(
    new DescribeServicesCommand({ cluster: clusterArn, services: [name] }),
  );
  return services?.[0];
}

describe('the endpoint without an engine', () => {
  let endpoint: EcsEndpoint;
  let fixture: EcsFixture;
  beforeAll(async () => {
    endpoint = await startMinistack({ mode: 'metadata' });
    fixture = await createEcsFixture(endpoint.url);
  });
  afterAll(async () => {
    fixture?.close();
    await endpoint?.stop();
  });

  it('says at once that what it was told to run runs', async () => {
    await createService(fixture, 'at-once');
    expect(await describeService(fixture, 'at-once')).toMatchObject({ status: 'ACTIVE', runningCount: 1 });
  });

  it('fails behind microburst as it is told, and each answer can get lost after the deed', async () => {
    const proxy = await startMicroburst({ upstream: endpoint.url });
    onTestFinished(() => proxy.stop());
    const client = new ECSClient({
      endpoint: proxy.url,
      region: fixture.region,
      credentials: rootCredentials,
      maxAttempts: 1,
    });
    onTestFinished(() => client.destroy());
    const through = { ...fixture, client };
    await proxy.setRules([
      {
        service: 'ecs',
        operation: 'DescribeServices',
        body: 'length(services) > `10`',
        error: { code: 'InvalidParameterException' },
      },
      { service: 'ecs', operation: 'CreateService', times: 1, response: { abort_frac: 0.3 } },
    ]);
    const names = Array.from({ length: 11 }, (_, index) => `s${index}`);
    const describeAll = new DescribeServicesCommand({ cluster: fixture.clusterArn, services: names });
    await expect(client.send(describeAll)).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(createService(through, 'lost')).rejects.toBeInstanceOf(Error);
    expect(await describeService(through, 'lost')).toMatchObject({ status: 'ACTIVE' });
    expect((await proxy.fired()).map(({ operation }) => operation)).toEqual([
      'DescribeServices',
      'CreateService',
    ]);
  });

  it('is gone after stop', async () => {
    const other = await startMinistack({ mode: 'metadata' });
    await other.stop();
    await expect(fetch(other.url)).rejects.toThrow('fetch failed');
  });
});

it('the counting proxy tells what was asked, by whom and where, and loses answers after the deed', async () => {
  const endpoint = await startMinistack({ mode: 'metadata' });
  onTestFinished(() => endpoint.stop());
  const proxy = await startCountingProxy(endpoint.url);
  onTestFinished(() => proxy.stop());
  const fixture = await createEcsFixture(proxy.url, { region: 'eu-west-1' });
  onTestFinished(() => fixture.close());
  proxy.calls.splice(0);
  proxy.setFault(({ operation }) => (operation === 'CreateService' ? { kind: 'lose' } : undefined));
  await expect(createService(fixture, 'counted')).rejects.toMatchObject({ code: 'ECONNRESET' });
  proxy.setFault(undefined);
  expect(await describeService(fixture, 'counted')).toMatchObject({ status: 'ACTIVE' });
  expect(proxy.calls[0]).toMatchObject({
    operation: 'CreateService',
    names: ['counted'],
    region: 'eu-west-1',
    accessKeyId: rootCredentials.accessKeyId,
  });
  expect(proxy.calls.at(-1)).toMatchObject({
    operation: 'DescribeServices',
    names: ['counted'],
    status: 200,
  });
});

it('the endpoint with authentication gives a role to those who know its external id', async () => {
  const endpoint = await startMinistack({ mode: 'metadata', auth: true });
  onTestFinished(() => endpoint.stop());
  const fixture = await createEcsFixture(endpoint.url);
  onTestFinished(() => fixture.close());
  const roleArn = await fixture.createRole({
    name: 'tenants',
    allow: ['ecs:*'],
    deny: ['ecs:CreateService'],
    externalId: 'secret',
  });
  const as = (externalId: string): EcsFixture => {
    const credentials = fromTemporaryCredentials({
      masterCredentials: rootCredentials,
      params: { RoleArn: roleArn, RoleSessionName: 'test', ExternalId: externalId },
      clientConfig: { endpoint: endpoint.url, region: fixture.region },
    });
    const client = new ECSClient({ endpoint: endpoint.url, region: fixture.region, credentials });
    onTestFinished(() => client.destroy());
    return { ...fixture, client };
  };
  await expect(describeService(as('guess'), 'any')).rejects.toMatchObject({ name: 'AccessDenied' });
  expect(await describeService(as('secret'), 'any')).toBeUndefined();
  await expect(createService(as('secret'), 'any')).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

it('the second endpoint, of other authors, knows services too', async () => {
  const endpoint = await startMoto({ running: 1 });
  onTestFinished(() => endpoint.stop());
  const fixture = await createEcsFixture(endpoint.url);
  onTestFinished(() => fixture.close());
  await createService(fixture, 'first');
  expect(await describeService(fixture, 'first')).toMatchObject({ status: 'ACTIVE', runningCount: 1 });
});

it("the endpoint's tasks are containers on the engine, which go with it", async () => {
  const dockerHost = inject('dockerHost');
  const endpoint = await startMinistack({ mode: 'docker', dockerHost });
  onTestFinished(() => endpoint.stop());
  const image = await pushImage({ address: inject('registryAddress') }, { repository: 'ecs-task', tag: '1' });
  // A cluster of its own name: other tests run tasks on the same engine.
  const fixture = await createEcsFixture(endpoint.url, { image, cluster: 'tasks-that-go' });
  onTestFinished(() => fixture.close());
  await createService(fixture, 'running');
  const { client, clusterArn: cluster } = fixture;
  const answer = async (): Promise<string> => {
    const { taskArns } = await client.send(new ListTasksCommand({ cluster, serviceName: 'running' }));
    const { tasks } = await client.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
    const details = tasks?.[0]?.attachments?.[0]?.details ?? [];
    const address = details.find(({ name }) => name === 'privateIPv4Address')?.value ?? 'no-address.invalid';
    return (await fetch(`http://${address}:8080`)).text();
  };
  await expect.poll(answer, { timeout: 20_000, interval: 200 }).toContain('1');

  await client.send(new DeleteServiceCommand({ cluster, service: 'running', force: true }));
  await createService(fixture, 'left');
  const ours = async () =>
    dockerAt(dockerHost).listContainers({
      all: true,
      filters: { label: [`com.amazonaws.ecs.cluster=${cluster}`] },
    });
  await expect.poll(async () => (await ours()).length, { timeout: 20_000 }).toBeGreaterThan(0);
  await endpoint.stop();
  expect(await ours()).toEqual([]);
});
