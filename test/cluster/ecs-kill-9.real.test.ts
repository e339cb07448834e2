import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { rootCredentials } from '../../dev/ecs-endpoint.ts';
import { startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import { ecsRevisions, ecsServices } from './ecs-belongings.ts';
import { startKillingProxy } from './killing-proxy.ts';
import type { KillingProxy, KillPlan } from './killing-proxy.ts';
import { startOperatorProcess } from './operator-process.ts';
import type { OperatorProcess } from './operator-process.ts';
import { untilPassed } from './until-passed.ts';

interface Wanted {
  readonly count?: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** `IMAGE REVISION` of a task definition of the tenant's own. */
  readonly own?: string;
}

const containers = (version: string) => ({
  containers: [{ name: 'app', image: `registry.example/app:${version}` }],
});
const ecs = (block: Record<string, unknown>) => ({ spec: { computeConfig: { ecs: block } } });

describe('a kill -9 of the operator at each kind of write to ECS', () => {
  let bench: EcsBench;
  let proxy: KillingProxy;
  let folder: string;
  let operator: OperatorProcess;
  let start: () => void;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'landlord-ecs-kill-'));
    bench = await startEcsBench({ prefix: 'ecs-kill' });
    const { hostname, port } = new URL(bench.endpoint.url);
    proxy = await startKillingProxy({ port: 0 }, { secure: false, options: { host: hostname, port } });
    const configFile = join(folder, 'landlord.yaml');
    const config = {
      instance: bench.ns.name,
      compute: { ecs: { ...bench.block, endpoint: `http://127.0.0.1:${proxy.port}` } },
      controller: { namespaces: [bench.ns.name] },
      policy: { ecs: { allowed_tag_keys: ['team'] } },
      server: { address: '127.0.0.1:0' },
    };
    await writeFile(configFile, stringify(config));
    const env = {
      AWS_ACCESS_KEY_ID: rootCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: rootCredentials.secretAccessKey,
    };
    const kubeconfigPath = inject('operatorKubeconfigPath');
    start = () => (operator = startOperatorProcess({ configFile, kubeconfigPath, env }));
    start();
    const plain = ['count-before', 'count-after', 'tags-after', 'delete-before', 'delete-after'];
    const own = ['roll-after', 'roll-on-after', 'goer-before', 'goer-after'];
    await Promise.all(plain.map((name) => bench.ns.create(name, {})));
    await Promise.all(own.map((name) => bench.ns.create(name, containers('1'))));
    await untilPassed(operator, bench.ns);
  });
  afterEach(({ task }) => {
    proxy.disarm();
    if (task.result?.state === 'fail') console.error(operator.output().split('\n').slice(-20).join('\n'));
  });
  afterAll(async () => {
    await operator?.stop();
    await proxy?.close();
    await bench?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The operator dies at the call, and another one goes on. */
  const strike = async (
    operation: string,
    when: KillPlan['when'],
    provoke: () => Promise<unknown>,
  ): Promise<void> => {
    const struck = proxy.arm({
      matches: ({ amzTarget }) => amzTarget.endsWith(`.${operation}`),
      when,
      kill: () => operator.kill(),
    });
    await provoke();
    await struck;
    await operator.exited;
    start();
  };

  /** The tenant has one service, as its spec says now, whatever is called how, and what that runs was registered once. */
  const expectWhole = async (name: string, { count = 1, tags = {}, own }: Wanted): Promise<void> => {
    const [service, ...others] = await ecsServices(bench, name);
    const { taskDefinition = '', ...seen } = service ?? {};
    const wanted = { name: bench.serviceName(name), status: 'ACTIVE', desired: count, running: count, tags };
    expect([seen, ...others]).toEqual([wanted]);
    const revisions = await ecsRevisions(bench, name);
    if (own === undefined) expect(taskDefinition).toBe(bench.fixture.taskDefinitionArn);
    else expect(`${revisions.get(taskDefinition)?.join()} ${taskDefinition.split(':').at(-1)}`).toBe(own);
    // What ran before a rollout may stay for a while.
    const before = taskDefinition.replace(/:2$/, ':1');
    const unused = [...revisions.keys()].filter((arn) => arn !== taskDefinition && arn !== before);
    expect(unused).toEqual([]);
  };

  // Reads need no death, and before a write all is as after the one before it.
  test.each<[KillPlan['when'], string, string, (name: string) => Promise<unknown>, Wanted]>([
    ['before', 'CreateService', 'create-before', (name) => bench.ns.create(name, {}), {}],
    ['after', 'CreateService', 'create-after', (name) => bench.ns.create(name, {}), {}],
    [
      'after',
      'RegisterTaskDefinition',
      'register-after',
      (name) => bench.ns.create(name, containers('1')),
      { own: 'registry.example/app:1 1' },
    ],
    [
      'after',
      'RegisterTaskDefinition',
      'roll-after',
      (name) => bench.ns.patch(name, { spec: containers('2') }),
      { own: 'registry.example/app:2 2' },
    ],
    [
      'after',
      'UpdateService',
      'roll-on-after',
      (name) => bench.ns.patch(name, { spec: containers('2') }),
      { own: 'registry.example/app:2 2' },
    ],
    [
      'before',
      'UpdateService',
      'count-before',
      (name) => bench.ns.patch(name, ecs({ desired_count: 2 })),
      { count: 2 },
    ],
    [
      'after',
      'UpdateService',
      'count-after',
      (name) => bench.ns.patch(name, ecs({ desired_count: 2 })),
      { count: 2 },
    ],
    [
      'after',
      'TagResource',
      'tags-after',
      (name) => bench.ns.patch(name, ecs({ tags: { team: 'a' } })),
      { tags: { team: 'a' } },
    ],
  ])('%s %s leaves %s one service, as it was asked for', async (when, operation, name, provoke, wanted) => {
    await strike(operation, when, () => provoke(name));
    const tenants = await untilPassed(operator, bench.ns);
    await expectWhole(name, wanted);
    const { count = 1 } = wanted;
    expect(tenants.get(name)?.status).toMatchObject({
      phase: 'Ready',
      computeProvider: 'ecs',
      compute: { running: count, desired: count },
    });
  });

  test.each([
    ['before', 'DeleteService', 'delete-before'],
    ['after', 'DeleteService', 'delete-after'],
    ['before', 'DeregisterTaskDefinition', 'goer-before'],
    ['after', 'DeregisterTaskDefinition', 'goer-after'],
  ] as const)('%s %s leaves nothing of %s', async (when, operation, name) => {
    await strike(operation, when, () => bench.ns.delete(name));
    await bench.ns.untilGone(name);
    expect(await ecsServices(bench, name)).toEqual([]);
    expect([...(await ecsRevisions(bench, name)).keys()]).toEqual([]);
  });

  test('after all of it there is one service for each Tenant and no other', async () => {
    const tenants = await untilPassed(operator, bench.ns);
    const wanted = [...tenants.keys()].map((name) => bench.serviceName(name)).toSorted();
    expect((await bench.services()).map(({ serviceName = '' }) => serviceName).toSorted()).toEqual(wanted);
  });
});
