import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CountedCall, ProxyFault } from '../../dev/counting-proxy.ts';
import { startMicroburst } from '../../dev/ecs-endpoint.ts';
import type { Microburst } from '../../dev/ecs-endpoint.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { startEcsBench, tagsOf } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import type { TestOperator } from './test-operator.ts';
import { until } from '../until.ts';

const message = (tenant: Tenant) => findCondition(tenant.status?.conditions, 'Ready')?.message ?? '';
const refuse = (code: string, status = 400, text?: string): ProxyFault => ({
  kind: 'refuse',
  status,
  code,
  ...(text !== undefined && { message: text }),
});

type FaultOf = (call: CountedCall) => ProxyFault | undefined;

/** The same fault for the first `times` calls of an operation. */
function first(times: number, operation: string, fault: ProxyFault): FaultOf {
  let left = times;
  return (call) => {
    if (call.operation !== operation || left === 0) return undefined;
    left -= 1;
    return fault;
  };
}

describe.concurrent('a Tenant on ECS, while calls for it fail,', () => {
  let bench: EcsBench;
  let operator: TestOperator;
  /** By tenant, so that all tests can run at once. */
  const faults = new Map<string, FaultOf>();

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'faults' });
    bench.proxy.setFault((call) => {
      if (call.operation === 'DescribeServices' && call.names.length > 10)
        return refuse('InvalidParameterException', 400, 'Services cannot be more than 10');
      const tenants = [...faults].filter(([tenant]) => bench.concerns(call, tenant));
      return tenants.map(([, faultOf]) => faultOf(call)).find((fault) => fault !== undefined);
    });
    const policy = { ecs: { allowed_clusters: [otherCluster()] } };
    operator = bench.operator({ config: { policy } });
  });
  afterAll(async () => {
    faults.clear();
    await operator?.stop();
    await bench?.close();
    // Over all tests, which run at once.
    const largest = Math.max(...bench.calls('DescribeServices').map(({ names }) => names.length));
    if (largest < 2 || largest > 10) throw new Error(`a read asked for as many as ${largest} services`);
  });

  const otherCluster = () => `${bench.fixture.clusterArn}-gone`;
  const failing = async (
    tenant: string,
    faultOf: FaultOf,
    spec: Record<string, unknown> = {},
  ): Promise<void> => {
    faults.set(tenant, faultOf);
    await bench.ns.create(tenant, spec);
  };
  const callsFor = (tenant: string, operation: string) =>
    bench.calls(operation).filter((call) => bench.concerns(call, tenant));
  const expectOneService = async (tenant: string): Promise<void> => {
    const services = (await bench.services()).filter(
      (service) => tagsOf(service)['landlord.tenant_name'] === tenant,
    );
    expect(services.map(({ serviceName }) => serviceName)).toEqual([bench.serviceName(tenant)]);
  };

  test.for<[string, FaultOf]>([
    ['lost-create', first(1, 'CreateService', { kind: 'lose' })],
    ['throttled-twice', first(2, 'CreateService', refuse('ThrottlingException'))],
    ['server-errors', first(3, 'CreateService', refuse('ServerException', 500))],
    ['no-json', first(3, 'CreateService', { kind: 'garble', status: 503, text: '<html>sorry</html>' })],
    ['resets', first(2, 'CreateService', { kind: 'reset' })],
    ['silence', first(1, 'CreateService', { kind: 'hang' })],
    ['latency', () => ({ kind: 'delay', ms: 5000 })],
    [
      'draining',
      first(
        2,
        'CreateService',
        refuse('InvalidParameterException', 400, 'Unable to Start a service that is still Draining.'),
      ),
    ],
    ['unseen', first(2, 'DescribeServices', refuse('ServerException', 500))],
  ])('%s: becomes ready all the same, with one service', { timeout: 180_000 }, async ([tenant, faultOf]) => {
    await failing(tenant, faultOf);
    await bench.ns.untilReady(tenant);
    await expectOneService(tenant);
  });

  test.for<[string, ProxyFault]>([
    ['lost-update', { kind: 'lose' }],
    ['update-reset', { kind: 'reset' }],
    ['not-active', refuse('ServiceNotActiveException', 400, 'Service was not ACTIVE.')],
  ])('%s: an update goes through all the same', { timeout: 180_000 }, async ([tenant, fault]) => {
    await bench.ns.create(tenant, {});
    await bench.ns.untilReady(tenant);
    faults.set(tenant, first(1, 'UpdateService', fault));
    await bench.ns.patch(tenant, { spec: { computeConfig: { ecs: { desired_count: 2 } } } });
    await bench.ns.untilReady(tenant);
    expect(await bench.service(tenant)).toMatchObject({ status: 'ACTIVE', desiredCount: 2 });
    await expectOneService(tenant);
  });

  test('a refused action is named, and tried again after half a minute', { timeout: 180_000 }, async () => {
    const tenant = 'denied';
    const denied = refuse(
      'AccessDeniedException',
      400,
      'User: arn:aws:iam::000000000000:user/test is not authorized to perform: ecs:CreateService',
    );
    await failing(tenant, first(Infinity, 'CreateService', denied));
    const refused = await bench.ns.untilReason(tenant, 'AccessDenied');
    expect(message(refused)).toContain('ecs:CreateService');
    const tries = () => callsFor(tenant, 'CreateService').map(({ at }) => at);
    await until('another try', () => tries().length > 1);
    const [one = 0, other = 0] = tries();
    expect(other - one).toBeGreaterThanOrEqual(30_000);
    faults.delete(tenant);
    await bench.ns.patch(tenant, { metadata: { annotations: { [reconcileRequestedAt]: 'allowed' } } });
    await bench.ns.untilReady(tenant);
    await expectOneService(tenant);
  });

  test(
    'a refused deletion waits, names what is refused, and ends once it is allowed',
    { timeout: 180_000 },
    async () => {
      const tenant = 'undeletable';
      await bench.ns.create(tenant, {});
      await bench.ns.untilReady(tenant);
      faults.set(tenant, first(Infinity, 'DeleteService', refuse('AccessDeniedException')));
      await bench.ns.delete(tenant);
      const waiting = await bench.ns.untilReason(tenant, 'AccessDenied');
      expect(message(waiting)).toContain('ecs:DeleteService');
      faults.delete(tenant);
      await bench.ns.patch(tenant, { metadata: { annotations: { [reconcileRequestedAt]: 'allowed' } } });
      await bench.ns.untilGone(tenant);
      expect(await bench.service(tenant)).not.toMatchObject({ status: 'ACTIVE' });
    },
  );

  test('a lost DeleteService answer leaves nothing', { timeout: 180_000 }, async () => {
    const tenant = 'lost-delete';
    await bench.ns.create(tenant, {});
    await bench.ns.untilReady(tenant);
    faults.set(tenant, first(1, 'DeleteService', { kind: 'lose' }));
    await bench.ns.delete(tenant);
    await bench.ns.untilGone(tenant);
    expect(await bench.service(tenant)).not.toMatchObject({ status: 'ACTIVE' });
  });

  test('a cluster that was deleted says so, and deletion is done', { timeout: 180_000 }, async () => {
    const tenant = 'cluster-gone';
    await bench.ns.create(tenant, { computeConfig: { ecs: { cluster_arn: otherCluster() } } });
    await bench.ns.untilReady(tenant);
    faults.set(tenant, () => refuse('ClusterNotFoundException', 400, 'Cluster not found.'));
    await bench.ns.patch(tenant, { spec: { computeConfig: { ecs: { desired_count: 2 } } } });
    const told = await bench.ns.until(tenant, 'told of the cluster', (seen) =>
      /cluster/i.test(message(seen)),
    );
    expect(findCondition(told.status?.conditions, 'Ready')?.status).toBe('False');
    await bench.ns.delete(tenant);
    await bench.ns.untilGone(tenant);
  });
});

describe.concurrent('an account that throttles everything for a minute', () => {
  let bench: EcsBench;
  let operator: TestOperator;
  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'throttled' });
    operator = bench.operator();
  });
  afterAll(async () => {
    bench?.proxy.setFault(undefined);
    await operator?.stop();
    await bench?.close();
  });

  test(
    'is not asked again and again, its Tenants say so, and all become ready',
    { timeout: 180_000 },
    async () => {
      const tenants = ['one', 'two', 'three'];
      bench.proxy.setFault(() => refuse('ThrottlingException', 400, 'Rate exceeded'));
      const startedAt = Date.now();
      await Promise.all(tenants.map((tenant) => bench.ns.create(tenant, {})));
      await Promise.all(tenants.map((tenant) => bench.ns.untilReason(tenant, 'Throttled')));
      await sleep(startedAt + 60_000 - Date.now());
      const late = bench.proxy.calls.filter(({ at }) => at - startedAt > 30_000);
      // A sixteenth of the rate and a back-off: far from the 14 a second that are allowed otherwise.
      expect(late.length).toBeLessThanOrEqual(30);
      bench.proxy.setFault(undefined);
      await Promise.all(tenants.map((tenant) => bench.ns.untilReady(tenant)));
      expect(await bench.services()).toHaveLength(tenants.length);
    },
  );
});

describe.concurrent('behind microburst', () => {
  let bench: EcsBench;
  let operator: TestOperator;
  let microburst: Microburst;
  beforeAll(async () => {
    bench = await startEcsBench({
      prefix: 'microburst',
      behind: async ({ url }) => (microburst = await startMicroburst({ upstream: url })),
    });
    operator = bench.operator();
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  test(
    'twelve Tenants become ready, change and go through all its faults, one service each',
    { timeout: 240_000 },
    async () => {
      const { ns } = bench;
      const tenants = Array.from({ length: 12 }, (_, index) => `t${index}`);
      const error = (code: string, status?: number) => ({ error: { code, ...(status && { status }) } });
      const faultsOf = (operation: string) =>
        [
          { times: 1, response: { abort_frac: 0.3 } },
          { times: 1, reset: true },
          { times: 1, ...error('ThrottlingException') },
          { times: 1, ...error('ServerException', 500) },
        ].map((fault) => ({ service: 'ecs', operation, ...fault }));
      await microburst.setRules([
        {
          service: 'ecs',
          operation: 'DescribeServices',
          body: 'length(services) > `10`',
          ...error('InvalidParameterException'),
        },
        ...['CreateService', 'UpdateService', 'DescribeServices', 'DeleteService'].flatMap(faultsOf),
      ]);
      await Promise.all(tenants.map((tenant) => ns.create(tenant, {})));
      await Promise.all(tenants.map((tenant) => ns.untilReady(tenant)));
      expect(await bench.services()).toHaveLength(tenants.length);
      await Promise.all(
        tenants.map((tenant) => ns.patch(tenant, { spec: { computeConfig: { ecs: { desired_count: 2 } } } })),
      );
      await Promise.all(tenants.map((tenant) => ns.untilReady(tenant)));
      const counts = (await bench.services()).map(({ desiredCount }) => desiredCount);
      expect(counts).toEqual(tenants.map(() => 2));
      await Promise.all(tenants.map((tenant) => ns.delete(tenant)));
      await Promise.all(tenants.map((tenant) => ns.untilGone(tenant)));
      expect(await bench.services()).toEqual([]);
      const fired = (await microburst.fired()).map(({ operation, action }) => `${operation} ${action}`);
      expect(new Set(fired).size).toBeGreaterThanOrEqual(12);
    },
  );
});
