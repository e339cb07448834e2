import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { rootCredentials } from '../../dev/ecs-endpoint.ts';
import { startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import { startKillingProxy } from './killing-proxy.ts';
import type { KillingProxy } from './killing-proxy.ts';
import { startOperatorProcess } from './operator-process.ts';
import type { OperatorProcess } from './operator-process.ts';

/** Tenants by what they are there for; each is hit by a kill -9 before and after the call. */
const before = 'before';
const after = 'after';

describe('a kill -9 of the operator at each kind of call to ECS', () => {
  let bench: EcsBench;
  let proxy: KillingProxy;
  let folder: string;
  let operator: OperatorProcess;
  const start = (): void => {
    operator = startOperatorProcess(join(folder, 'landlord.yaml'), inject('operatorKubeconfigPath'), {
      AWS_ACCESS_KEY_ID: rootCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: rootCredentials.secretAccessKey,
    });
  };

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'ecs-kill' });
    folder = await mkdtemp(join(tmpdir(), 'landlord-ecs-kill-'));
    const { hostname, port } = new URL(bench.endpoint.url);
    proxy = await startKillingProxy({ port: 0 }, { secure: false, options: { host: hostname, port } });
    await writeFile(
      join(folder, 'landlord.yaml'),
      stringify({
        instance: bench.ns.name,
        compute: { ecs: { ...bench.block, endpoint: `http://127.0.0.1:${proxy.port}` } },
        controller: { namespaces: [bench.ns.name] },
        server: { address: '127.0.0.1:0' },
      }),
    );
    start();
    const names = [before, after].flatMap((when) => [
      `update-${when}`,
      `tags-${when}`,
      `delete-${when}`,
      `goer-${when}`,
    ]);
    await Promise.all(names.map((name) => bench.ns.create(name, name.startsWith('goer') ? own : {})));
    await Promise.all(names.map((name) => bench.ns.untilReady(name, 120_000)));
  });
  afterEach(({ task }) => {
    proxy.disarm();
    if (task.result?.state === 'fail') console.error(operator.output().split('\n').slice(-20).join('\n'));
  });
  afterAll(async () => {
    await operator?.stop();
    await proxy?.close();
    await bench.close();
    await rm(folder, { recursive: true, force: true });
  });

  const own = { containers: [{ name: 'app', image: 'registry.example/app:2' }] };
  const strike = async (
    operation: string,
    when: 'before' | 'after',
    provoke: () => Promise<unknown>,
  ): Promise<void> => {
    const struck = proxy.arm({
      matches: (_method, _path, _body, amzTarget) => amzTarget.endsWith(`.${operation}`),
      when,
      kill: () => operator.kill(),
    });
    await provoke();
    await struck;
    await operator.exited;
    start();
  };
  const ecs = (block: Record<string, unknown>) => ({ spec: { computeConfig: { ecs: block } } });

  describe.each([before, after] as const)('%s it', (when) => {
    test.each<[string, string, () => Promise<unknown>]>([
      ['CreateService', `create-${when}`, () => bench.ns.create(`create-${when}`, {})],
      ['RegisterTaskDefinition', `register-${when}`, () => bench.ns.create(`register-${when}`, own)],
      ['DescribeServices', `describe-${when}`, () => bench.ns.create(`describe-${when}`, {})],
      ['DescribeTaskDefinition', `read-${when}`, () => bench.ns.create(`read-${when}`, own)],
      ['UpdateService', `update-${when}`, () => bench.ns.patch(`update-${when}`, ecs({ desired_count: 2 }))],
      ['TagResource', `tags-${when}`, () => bench.ns.patch(`tags-${when}`, ecs({ tags: { team: 'a' } }))],
    ])('%s leaves one service', async (operation, name, provoke) => {
      await strike(operation, when, provoke);
      await bench.ns.untilReady(name, 120_000);
      const mine = (await bench.services()).filter(
        ({ serviceName }) => serviceName === bench.serviceName(name),
      );
      expect(mine).toHaveLength(1);
    });

    test.each([
      ['DeleteService', `delete-${when}`],
      ['DeregisterTaskDefinition', `goer-${when}`],
    ])('%s leaves nothing', async (operation, name) => {
      await strike(operation, when, () => bench.ns.delete(name));
      await bench.ns.untilGone(name, 120_000);
      expect((await bench.services()).map(({ serviceName }) => serviceName)).not.toContain(
        bench.serviceName(name),
      );
    });
  });

  test('after all of it there is one service for each Tenant and no other', async () => {
    const { items } = await bench.ns.tenants.list({ namespace: bench.ns.name });
    const wanted = items.map(({ metadata }) => bench.serviceName(metadata.name)).toSorted();
    expect((await bench.services()).map(({ serviceName = '' }) => serviceName).toSorted()).toEqual(wanted);
  });
});
