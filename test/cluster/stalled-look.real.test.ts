import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import { endpointsOf } from './operator-endpoints.ts';
import { recordingStream } from './recording-stream.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

const second = 1000;
const minute = 60 * second;

describe('a Tenant that only its user can help', () => {
  const log = recordingStream();
  const { metric } = endpointsOf(() => log.lines.join(''));
  let ns: TestNamespace;
  let operator: TestOperator;
  /** How far the clock of this process is put forward. */
  let aheadMs = 0;
  let witnesses = 0;

  beforeAll(async () => {
    ns = await createTestNamespace('stalled');
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
    operator = startTestOperator({ namespaces: [ns.name], compute: { mock: {} }, logger: log.logger });
  });
  afterAll(async () => {
    await operator.stop();
    await ns.remove();
    vi.restoreAllMocks();
  });

  const looks = (code: string) =>
    metric('landlord_provider_duration_seconds_count', { operation: 'provision', result: code });
  /** Another Tenant comes to life: the queue has looked at its clock, and has worked off all that was due before. */
  const pass = async (ms: number): Promise<void> => {
    aheadMs += ms;
    witnesses += 1;
    await ns.create(`witness-${witnesses}`, {
      computeConfig: { mock: { fail_on: ['provision'], fail_times: 1 } },
    });
    await ns.untilReady(`witness-${witnesses}`);
  };

  test('is looked at again 5 minutes later, not before, and at each 5 minutes no less than at the first', async () => {
    const mock = { fail_on: ['provision'], fail_code: 'InvalidSpec', fail_times: 3 };
    await ns.create('refused', { computeConfig: { mock } });
    const refused = await ns.untilReason('refused', 'InvalidSpec');
    expect(findCondition(refused.status?.conditions, 'Stalled')?.status).toBe('True');
    for (const expected of [1, 2]) {
      await pass(4 * minute);
      expect(await looks('InvalidSpec')).toBe(expected);
      // The minute that was left, and a tenth of five at most.
      await pass(91 * second);
      // A machine under load may hear of something else of it in between, which is a look as well: then it is due later.
      for (let more = 0; more < 4 && (await looks('InvalidSpec')) === expected; more += 1)
        await pass(91 * second);
      expect(await looks('InvalidSpec')).toBe(expected + 1);
    }
    await pass(5 * minute + 31 * second);
    // What it lacked has come, and nobody told.
    const mended = await ns.untilReady('refused');
    expect(mended.metadata.generation).toBe(refused.metadata.generation);
  });
});
