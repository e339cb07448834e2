import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import { approve } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import type { TestOperator } from './test-operator.ts';

const planOf = ({ status }: Tenant) => status?.plan;
const ready = (tenant: Tenant) => findCondition(tenant.status?.conditions, 'Ready');

describe('a change that needs a new service', () => {
  let bench: EcsBench;
  let operator: TestOperator;

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'approval' });
    operator = bench.operator();
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  const deletions = (name: string) =>
    bench.calls('DeleteService').filter((call) => bench.concerns(call, name));
  const on = (launchType: string, tags: Record<string, string> = {}) => ({
    computeConfig: { ecs: { launch_type: launchType, tags } },
  });
  const untilPlanned = (name: string, before?: string) =>
    bench.ns.until(name, 'a plan waits', (tenant) => {
      const digest = planOf(tenant)?.digest;
      return digest !== undefined && digest !== before && ready(tenant)?.reason === 'ApprovalRequired';
    });

  test.concurrent(
    'waits with its plan and the command, and is made once that is approved in a manifest',
    async () => {
      const { ns } = bench;
      await ns.create('approved', on('FARGATE'));
      await ns.untilReady('approved');
      const before = await bench.service('approved');
      await ns.patch('approved', { spec: on('EC2') });
      const waiting = await untilPlanned('approved');
      const plan = planOf(waiting);
      expect(plan).toMatchObject({
        effect: 'outage',
        changes: expect.arrayContaining([
          { path: 'launchType', desired: 'EC2', actual: 'FARGATE', effect: 'outage' },
        ]),
      });
      expect(ready(waiting)?.message).toContain(
        `kubectl annotate tenant approved -n ${ns.name} ${approve}=${plan?.digest} --overwrite`,
      );
      expect(await bench.service('approved')).toMatchObject({ status: 'ACTIVE', launchType: 'FARGATE' });
      expect(deletions('approved')).toEqual([]);
      // As a manifest has it: the spec and the approval in one.
      await ns.patch('approved', { metadata: { annotations: { [approve]: plan?.digest } }, spec: on('EC2') });
      const made = await ns.untilReady('approved');
      expect(planOf(made)).toBeUndefined();
      const after = await bench.service('approved');
      expect(after).toMatchObject({ status: 'ACTIVE', launchType: 'EC2' });
      expect(after?.createdAt).not.toEqual(before?.createdAt);
      expect(deletions('approved')).toHaveLength(1);
    },
  );

  test.concurrent('is not made by the approval of an older plan', async () => {
    const { ns } = bench;
    await ns.create('outdated', on('FARGATE'));
    await ns.untilReady('outdated');
    await ns.patch('outdated', { spec: on('EC2') });
    const old = planOf(await untilPlanned('outdated'))?.digest;
    await ns.patch('outdated', { spec: on('EC2', { team: 'a' }) });
    const current = planOf(await untilPlanned('outdated', old))?.digest;
    const approved = await ns.patch('outdated', {
      metadata: { annotations: { [approve]: old, 'landlord.dev/reconcile-requested-at': 'approved' } },
    });
    const seen = await ns.until(
      'outdated',
      'a pass has seen the approval',
      ({ status }) => status?.lastHandledReconcileAt === 'approved',
    );
    expect(approved.metadata.annotations?.[approve]).toBe(old);
    expect([ready(seen)?.reason, planOf(seen)?.digest]).toEqual(['ApprovalRequired', current]);
    expect(await bench.service('outdated')).toMatchObject({ status: 'ACTIVE', launchType: 'FARGATE' });
    expect(deletions('outdated')).toEqual([]);
  });

  test.concurrent('waits for nobody where ECS can move the service to other capacity instead', async () => {
    const { ns } = bench;
    await ns.create('moved', on('EC2'));
    await ns.untilReady('moved');
    await ns.patch('moved', { spec: on('FARGATE') });
    await ns.untilReady('moved');
    const service = await bench.service('moved');
    expect(service?.capacityProviderStrategy).toMatchObject([{ capacityProvider: 'FARGATE' }]);
    expect(deletions('moved')).toEqual([]);
  });
});
