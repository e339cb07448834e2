import { UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import { startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import { recordingStream } from './recording-stream.ts';
import type { TestOperator } from './test-operator.ts';

const vault = 'arn:aws:secretsmanager:us-west-2:000000000000:secret:';
const value = 's3cr3t-ecs-value';

describe('the value of a Secret that a Tenant on ECS reads', () => {
  const log = recordingStream();
  let bench: EcsBench;
  let operator: TestOperator;
  let taskDefinitionArn: string;

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'ecs-secrets' });
    taskDefinitionArn = await bench.fixture.registerTaskDefinition('registry.example/app:1', {
      executionRoleArn: 'arn:aws:iam::000000000000:role/reads-secrets',
    });
    await bench.ns.putSecret('db', { password: value });
    operator = bench.operator({
      compute: {
        ecs: {
          ...bench.block,
          task_definition_arn: taskDefinitionArn,
          secret_arns: { '*/db/*': `${vault}{namespace}/{name}/{key}` },
        },
      },
      logger: log.logger,
    });
  });
  afterEach(() => bench.proxy.setFault(undefined));
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  const reading = (secret = 'db') => ({
    containers: [
      {
        name: 'app',
        image: 'registry.example/app:2',
        env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: secret, key: 'password' } } }],
      },
    ],
  });
  const expectNowhere = async (name: string): Promise<void> => {
    const { ns, proxy } = bench;
    const calls = proxy.calls.map(({ operation, input }) => ({ operation, input }));
    const seen = JSON.stringify([calls, await ns.get(name), await ns.events(name), log.lines]);
    expect(log.lines.join('')).toContain(`${ns.name}/${name}`);
    expect(seen).not.toContain(value);
    expect(seen).not.toContain(Buffer.from(value).toString('base64').replace(/=+$/, ''));
  };

  test('is in no call, status, event or log: the task definition names its place in AWS', async () => {
    await bench.ns.create('reader', reading());
    await bench.ns.untilReady('reader');
    const [registered] = bench.calls('RegisterTaskDefinition');
    expect(registered?.input['containerDefinitions']).toMatchObject([
      { secrets: [{ name: 'PASSWORD', valueFrom: `${vault}${bench.ns.name}/db/password` }] },
    ]);
    await expectNowhere('reader');
  });

  test('is not even read from the apiserver', async () => {
    onTestFinished(() => bench.ns.putSecret('db', { password: value }));
    await bench.ns.secrets.delete('db', bench.ns.name);
    expect(await bench.ns.secrets.get('db', bench.ns.name)).toBeUndefined();
    await bench.ns.create('blind', reading());
    await bench.ns.untilReady('blind');
  });

  test('is in no error: neither of a refused call, nor of a Secret that is mapped to nothing', async () => {
    bench.proxy.setFault(({ operation }) =>
      operation === 'CreateService'
        ? {
            kind: 'refuse',
            status: 400,
            code: 'InvalidParameterException',
            message: 'unable to assume the role',
          }
        : undefined,
    );
    await bench.ns.create('refused', reading());
    const refused = await bench.ns.until('refused', 'told why', ({ status }) =>
      (findCondition(status?.conditions, 'Ready')?.message ?? '').includes('unable to assume the role'),
    );
    expect(findCondition(refused.status?.conditions, 'Ready')?.status).toBe('False');
    await bench.ns.putSecret('unmapped', { password: value });
    await bench.ns.create('unmapped', reading('unmapped'));
    await bench.ns.untilReason('unmapped', 'InvalidSpec');
    await expectNowhere('refused');
    await expectNowhere('unmapped');
  });

  test('is in no drift, where a foreigner has put a revision without it', async () => {
    const { ns, fixture } = bench;
    await ns.create('drifting', { ...reading(), driftPolicy: 'Report' });
    await ns.untilReady('drifting');
    await fixture.client.send(
      new UpdateServiceCommand({
        cluster: fixture.clusterArn,
        service: bench.serviceName('drifting'),
        taskDefinition: taskDefinitionArn,
      }),
    );
    await ns.patch('drifting', { metadata: { annotations: { [reconcileRequestedAt]: 'now' } } });
    await ns.until('drifting', 'Drifted', ({ status }) => (status?.drift ?? []).length > 0);
    await expectNowhere('drifting');
  });
});
