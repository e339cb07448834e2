import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { startEcsBench, tagsOf } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import { untilAnswers } from './endpoint-answers.ts';
import type { TestOperator } from './test-operator.ts';

describe('a release of a Tenant whose ECS tasks are containers', () => {
  const dockerHost = inject('dockerHost');
  let bench: EcsBench;
  let operator: TestOperator;
  let images: Record<'v1' | 'v2', string>;

  beforeAll(async () => {
    const registry = { address: inject('registryAddress') };
    const push = (tag: string) => pushImage(registry, { repository: 'ecs-release', tag });
    images = { v1: await push('1'), v2: await push('2') };
    bench = await startEcsBench({
      prefix: 'release',
      ministack: { mode: 'docker', dockerHost },
      fixture: { image: images.v1 },
    });
    operator = bench.operator();
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  const running = (image: string, args: readonly string[]) => ({
    containers: [{ name: 'app', image, ports: [{ name: 'http', containerPort: 8080 }] }],
    release: { container: 'app', args },
  });
  const writes = () =>
    bench.calls('RunTask', 'CreateService', 'UpdateService').map(({ operation }) => operation);

  test('is run before the service is made and before it is updated, and keeps the old where it fails', async () => {
    const { ns } = bench;
    await ns.create('acme', running(images.v1, ['sleep', '1s']));
    await ns.untilReady('acme');
    await untilAnswers(ns, 'acme', '1');
    expect(writes()).toEqual(['RunTask', 'CreateService']);

    await ns.patch('acme', { spec: running(images.v2, ['sleep', '1s']) });
    await ns.untilReady('acme');
    await untilAnswers(ns, 'acme', '2');
    expect(writes()).toEqual(['RunTask', 'CreateService', 'RunTask', 'UpdateService']);
    const done = tagsOf(await bench.service('acme'))['landlord.release'];

    await ns.patch('acme', { spec: running(images.v1, ['crash', '7']) });
    const told = await ns.untilReason('acme', 'RolledBack');
    expect(findCondition(told.status?.conditions, 'Ready')?.message).toMatch(
      /^The release command of app exited with code 7\b.*Nothing was replaced$/,
    );
    await untilAnswers(ns, 'acme', '2');
    expect(writes()).toEqual(['RunTask', 'CreateService', 'RunTask', 'UpdateService', 'RunTask']);
    expect(tagsOf(await bench.service('acme'))['landlord.release']).toBe(done);

    await ns.patch('acme', { spec: running(images.v2, ['sleep', '1s']) });
    await ns.untilReady('acme');
    expect(writes().filter((operation) => operation === 'RunTask')).toHaveLength(3);
    await ns.delete('acme');
    await ns.untilGone('acme');
  }, 240_000);
});
