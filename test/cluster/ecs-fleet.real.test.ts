import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ecsRateLimits } from '../../src/compute/providers/ecs/engine/limits/rate-limits.ts';
import type { RateLimit } from '../../src/compute/providers/ecs/engine/limits/rate-limits.ts';
import type { CountedCall } from '../../dev/counting-proxy.ts';
import { ecsWrites, startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import { endpointsOf } from './operator-endpoints.ts';
import { recordingStream } from './recording-stream.ts';
import type { TestOperator } from './test-operator.ts';
import { until } from '../until.ts';

const fleet = 200;
const tenants = Array.from({ length: fleet }, (_, index) => `t${index}`);
const sweepMs = 5_000;

describe('200 Tenants on ECS', () => {
  let bench: EcsBench;
  let operator: TestOperator;

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'fleet' });
    operator = bench.operator({
      config: { controller: { namespaces: [bench.ns.name], resync_interval: `${sweepMs}ms` } },
    });
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  test('cost one creation each within the rate limits, and afterwards nothing but the sweeps', async () => {
    const { ns, proxy } = bench;
    await Promise.all(tenants.map((name) => ns.create(name, {})));
    for (const name of tenants) await ns.untilReady(name);
    expect(bench.calls('CreateService')).toHaveLength(fleet);
    expect(bench.calls(...ecsWrites)).toHaveLength(fleet);
    for (const { names } of bench.calls('DescribeServices')) expect(names.length).toBeLessThanOrEqual(10);
    expect(
      excesses(bench.calls('CreateService', 'UpdateService', 'DeleteService'), ecsRateLimits.serviceWrites),
    ).toEqual([]);
    expect(excesses(bench.calls('DescribeServices', 'ListServices'), ecsRateLimits.serviceReads)).toEqual([]);
    const looks = () => bench.calls('DescribeServices');
    /** When the sweeps came by at one of them. */
    const sweeps = () =>
      looks()
        .filter(({ names }) => names.includes(bench.serviceName('t0')))
        .map(({ at }) => at);
    // What was in transition settles.
    const settling = sweeps().length;
    await until('a sweep', () => sweeps().length > settling);
    proxy.calls.splice(0);
    const from = Date.now();
    await until('three sweeps', () => Date.now() - from > 3 * sweepMs && sweeps().length >= 3);
    const others = proxy.calls.filter(
      ({ operation }) => !['DescribeServices', 'ListServices'].includes(operation),
    );
    expect(others).toEqual([]);
    // They come up to a tenth sooner than they are asked for, the first and the last are seen in part,
    // and a look that the wire lost is made again: a poll besides the sweeps would cost many times this.
    const most = (Date.now() - from) / (0.9 * sweepMs) + 2;
    expect(sweeps().length).toBeLessThanOrEqual(most);
    expect(looks().length).toBeLessThanOrEqual((most * fleet) / 10);
  });

  test('cost a restarted operator as many looks as a sweep, and no write', async () => {
    await operator.stop();
    bench.proxy.calls.splice(0);
    const writesBefore = (await bench.ns.writes()).length;
    const { logger, lines } = recordingStream();
    operator = bench.operator({ logger });
    await bench.ns.create('witness', {});
    await bench.ns.untilReady('witness');
    const metrics = endpointsOf(() => lines.join('\n'));
    await until(
      'a pass over each',
      async () => (await metrics.sum('landlord_reconcile_duration_seconds_count')) > fleet,
    );
    expect(bench.calls(...ecsWrites).map(({ names }) => names)).toEqual([[bench.serviceName('witness')]]);
    const writes = (await bench.ns.writes()).slice(writesBefore);
    expect(writes.filter(({ objectRef }) => tenants.includes(objectRef?.name ?? ''))).toEqual([]);
    // Tens that the workers leave unfilled, the more the busier the machine; one look for each would be ten times as many.
    expect(bench.calls('DescribeServices').length).toBeLessThanOrEqual(3 * (fleet / 10) + 10);
  });
});

/** At no moment more calls since any earlier one than the bucket allows: its burst, and what flowed in since. */
function excesses(calls: readonly CountedCall[], limit: RateLimit): readonly string[] {
  // What a busy machine may bunch together: two calls, and those of a moment in which it did not come to sending them.
  const slack = 2;
  const momentMs = 5_000;
  return calls.flatMap(({ at: from }, first) =>
    calls.slice(first).flatMap(({ at }, offset) => {
      const allowed = limit.burst + (limit.perSecond * (at - from + momentMs)) / 1000 + slack;
      return offset + 1 > allowed ? [`${offset + 1} calls within ${at - from} ms`] : [];
    }),
  );
}
