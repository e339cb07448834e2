import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test } from 'vitest';
import { createEcsFixture } from '../../../../../dev/ecs-endpoint-fixture.ts';
import { startMinistack, startMoto } from '../../../../../dev/ecs-endpoint.ts';
import { callAsRoot } from '../as-root.ts';
import { never, testClient } from '../client-fixture.ts';
import { containerSpec, context, drivenEcs, settings, settled, tenantSpec } from '../ecs-fixture.ts';

callAsRoot();

describe.each([
  ['ministack', () => startMinistack({ mode: 'metadata' })],
  ['moto', () => startMoto({ running: 1 })],
] as const)('over the wire, on %s,', (_name, start) => {
  test('a secret and a parameter that were rotated roll the service out, and nothing else does', async () => {
    await using stack = new AsyncDisposableStack();
    const endpoint = await start();
    stack.defer(() => endpoint.stop());
    const fixture = await createEcsFixture(endpoint.url);
    stack.defer(() => fixture.close());
    const { region } = fixture;
    const vault = new SecretsManagerClient({ endpoint: endpoint.url, region });
    const store = new SSMClient({ endpoint: endpoint.url, region });
    stack.defer(() => {
      vault.destroy();
      store.destroy();
    });
    const { ARN = '' } = await vault.send(new CreateSecretCommand({ Name: 'team-a/db', SecretString: '{}' }));
    const put = async (Value: string) =>
      store.send(new PutParameterCommand({ Name: '/team-a/token', Type: 'String', Value, Overwrite: true }));
    await put('one');
    const account = ARN.split(':')[4] ?? '';
    const base = await fixture.registerTaskDefinition('registry.example/app:1', {
      executionRoleArn: `arn:aws:iam::${account}:role/reads-secrets`,
    });
    const config = {
      cluster_arn: fixture.clusterArn,
      task_definition_arn: base,
      subnets: fixture.subnets,
      security_groups: fixture.securityGroups,
    };
    const { block, policy } = settings({
      ...config,
      endpoint: endpoint.url,
      secret_versions: true,
      secret_arns: {
        'team-a/db/*': `${ARN}:{key}::`,
        'team-a/app/*': `arn:aws:ssm:${region}:${account}:parameter/{namespace}/{key}`,
      },
    });
    const ecs = testClient({ ...config, endpoint: endpoint.url });
    stack.defer(() => ecs.close());
    const env = [
      { name: 'PASSWORD', secretKeyRef: { name: 'db', key: 'password' } },
      { name: 'TOKEN', secretKeyRef: { name: 'app', key: 'token' } },
    ];
    const spec = tenantSpec(config, {
      containers: [containerSpec('app', { image: 'registry.example/app:1', env })],
    });
    // Each knows no more than the service's own tags, like a process that has just started.
    const processOver = () => drivenEcs(ecs, block, policy, context());
    const differences = async () =>
      (await settled(processOver(), spec)).changes
        .filter(({ path }) => path === 'tasks')
        .map(({ actual }) => actual);

    await processOver().provision(spec, never);
    expect(await differences()).toEqual([]);
    for (const rotate of [
      () => vault.send(new PutSecretValueCommand({ SecretId: ARN, SecretString: '{"password":"two"}' })),
      () => put('two'),
    ]) {
      await rotate();
      expect(await differences()).toEqual([expect.stringContaining('of earlier versions of its secrets')]);
      await processOver().update(spec, never);
      expect(await differences()).toEqual([]);
    }
  });
});
