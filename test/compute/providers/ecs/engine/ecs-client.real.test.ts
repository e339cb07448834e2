import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startMicroburst, startMinistack, startMoto } from '../../../../../dev/ecs-endpoint.ts';
import type { EcsEndpoint, Microburst } from '../../../../../dev/ecs-endpoint.ts';
import { createEcsFixture } from '../../../../../dev/ecs-endpoint-fixture.ts';
import type { EcsFixture } from '../../../../../dev/ecs-endpoint-fixture.ts';
import { callAsRoot } from '../as-root.ts';
import type { EcsApi } from '../../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import type { EcsScope } from '../../../../../src/compute/providers/ecs/address/service-target.ts';
import { never, testClient } from '../client-fixture.ts';
import { anyConsent } from '../../../permits.ts';

callAsRoot();

describe.each<[string, () => Promise<EcsEndpoint>]>([
  ['ministack', () => startMinistack({ mode: 'metadata' })],
  ['moto', () => startMoto({ running: 1 })],
])('the ECS client at %s', (_name, start) => {
  let endpoint: EcsEndpoint;
  let proxy: Microburst;
  let fixture: EcsFixture;
  let ecs: EcsApi;
  let scope: EcsScope;
  const target = (service: string) => ({ scope, cluster: fixture.clusterArn, service });
  const describeNow = (service: string) => ecs.describeService(target(service), 'user', never);
  const create = (serviceName: string, taskDefinition = fixture.taskDefinitionArn) =>
    ecs.createService(
      scope,
      {
        cluster: fixture.clusterArn,
        serviceName,
        taskDefinition,
        desiredCount: 1,
        networkConfiguration: {
          awsvpcConfiguration: { subnets: [...fixture.subnets], securityGroups: [...fixture.securityGroups] },
        },
        tags: [{ key: 'landlord.owner', value: 'default' }],
      },
      never,
    );

  beforeAll(async () => {
    endpoint = await start();
    proxy = await startMicroburst({ upstream: endpoint.url });
    // Through the proxy, which takes seconds over its first request.
    fixture = await createEcsFixture(proxy.url);
    scope = { region: fixture.region };
  });
  beforeEach(async () => {
    await proxy.setRules([]);
    ecs = testClient({ cluster_arn: fixture.clusterArn, endpoint: proxy.url });
  });
  afterEach(() => ecs.close());
  afterAll(async () => {
    fixture?.close();
    await proxy?.stop();
    await endpoint?.stop();
  });

  test('a service is created, described with its tags, updated, tagged, listed and deleted', async () => {
    await expect(describeNow('life')).resolves.toBeUndefined();
    const created = await create('life');
    expect(created).toMatchObject({ serviceName: 'life', desiredCount: 1 });
    const update = { cluster: fixture.clusterArn, service: 'life', desiredCount: 2 };
    await expect(ecs.updateService(scope, update, anyConsent, never)).resolves.toMatchObject({
      desiredCount: 2,
    });
    const arn = (created as { readonly serviceArn: string }).serviceArn;
    await ecs.tagResource(scope, arn, [{ key: 'team', value: 'a' }], never);
    await ecs.untagResource(scope, arn, ['landlord.owner'], never);
    await expect(describeNow('life')).resolves.toMatchObject({
      desiredCount: 2,
      tags: [{ key: 'team', value: 'a' }],
    });
    const pages = await Array.fromAsync(ecs.listServices(target(''), never));
    expect(pages.flat()).toContain('life');
    await expect(ecs.deleteService(target('life'), anyConsent, never)).resolves.toMatchObject({
      serviceName: 'life',
    });
  });

  test('what is not there is a value: services, clusters, task definitions, tasks', async () => {
    const gone = { ...target('none'), cluster: `${fixture.clusterArn}-gone` };
    await expect(ecs.describeService(gone, 'sweep', never)).resolves.toBe('cluster-gone');
    await expect(ecs.deleteService(target('none'), anyConsent, never)).resolves.toBe('missing');
    const update = { cluster: fixture.clusterArn, service: 'none', desiredCount: 2 };
    await expect(ecs.updateService(scope, update, anyConsent, never)).resolves.toBe('missing');
    const none = `${fixture.taskDefinitionArn}9`;
    await expect(ecs.describeTaskDefinition(scope, none, never)).resolves.toBeUndefined();
    await ecs.deregisterTaskDefinition(scope, none, anyConsent, never);
    await expect(ecs.listTaskDefinitions(scope, 'no-family', never)).resolves.toEqual([]);
    await expect(ecs.describeTasks(target('none'), { limit: 10, priority: 'user' }, never)).resolves.toEqual(
      [],
    );
    await expect(Array.fromAsync(ecs.listServices(gone, never))).resolves.toSatisfy(
      (pages: string[][]) => pages.flat().length === 0,
    );
  });

  test('revisions of a family are listed newest first, without those of families that share its beginning', async () => {
    const containerDefinitions = [{ name: 'app', image: 'registry.example/app:1', memory: 64 }];
    const register = (family: string) =>
      ecs.registerTaskDefinition(
        scope,
        { family, containerDefinitions, tags: [{ key: 'k', value: 'v' }] },
        never,
      );
    const first = await register('fam');
    const second = await register('fam');
    await register('family');
    await expect(ecs.listTaskDefinitions(scope, 'fam', never)).resolves.toEqual([
      second.taskDefinitionArn,
      first.taskDefinitionArn,
    ]);
    const arn = first.taskDefinitionArn ?? '';
    await expect(ecs.describeTaskDefinition(scope, arn, never)).resolves.toMatchObject({
      taskDefinition: { revision: 1 },
      tags: [{ key: 'k', value: 'v' }],
    });
    await ecs.deregisterTaskDefinition(scope, arn, anyConsent, never);
    await expect(ecs.listTaskDefinitions(scope, 'fam', never)).resolves.toEqual([second.taskDefinitionArn]);
  });

  test('an endpoint that refuses more than ten names never gets to see them, whoever asks for 43 at once', async () => {
    await proxy.setRules([
      {
        service: 'ecs',
        operation: 'DescribeServices',
        body: 'length(services) > `10`',
        error: { code: 'InvalidParameterException' },
      },
    ]);
    await create('many-7');
    const names = Array.from({ length: 43 }, (_, index) => `many-${index}`);
    const answers = await Promise.all(
      names.map((name, index) =>
        ecs.describeService(target(name), index % 2 === 0 ? 'user' : 'sweep', never),
      ),
    );
    expect(answers.map((answer) => answer !== undefined)).toEqual(names.map((name) => name === 'many-7'));
    await expect(proxy.fired()).resolves.toEqual([]);
  });
});
