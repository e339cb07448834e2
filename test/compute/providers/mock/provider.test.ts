import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type * as sleeping from '../../../../src/async/sleep.ts';
import { sleep } from '../../../../src/async/sleep.ts';
import { errorCodes } from '../../../../src/compute/errors.ts';
import type { Provider, TenantPlace } from '../../../../src/compute/provider.ts';
import { mockOperations, mockTenantBlock } from '../../../../src/compute/providers/mock/config.ts';
import type { MockConfig, MockOperation } from '../../../../src/compute/providers/mock/config.ts';
import { mockDefinition } from '../../../../src/compute/providers/mock/definition.ts';
import { createMockProvider } from '../../../../src/compute/providers/mock/provider.ts';
import { anyPermit } from '../../permits.ts';
import { driven } from '../../driven-provider.ts';
import type { DrivenProvider } from '../../driven-provider.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { mockContext, mockSpec } from './mock-spec.ts';

vi.mock('../../../../src/async/sleep.ts', async (original) => {
  const real = await original<typeof sleeping>();
  return { sleep: vi.fn<typeof sleep>(real.sleep) };
});

const { signal } = new AbortController();
const placement = { provider: 'mock' };
const refTo = (tenantId = 'team-a-acme'): TenantPlace => ({
  tenantId,
  namespace: 'team-a',
  name: 'acme',
  placement,
});

let built: Provider;
let provider: DrivenProvider<TenantComputeSpec>;
beforeEach(async () => {
  built = await createMockProvider({ block: {}, policy: {} }, mockContext());
  provider = driven(built);
});
afterEach(() => {
  vi.useRealTimers();
  vi.mocked(sleep).mockClear();
});

/** Each operation that can be told to fail, on a tenant with this config. */
const operations: Record<MockOperation, (config: MockConfig) => Promise<unknown>> = {
  validate: (config) => provider.validate(mockSpec(config), signal),
  provision: (config) => provider.provision(mockSpec(config), signal),
  update: (config) => provider.update(mockSpec(config), signal),
  destroy: () => built.destroy(refTo(), anyPermit, signal),
  get_status: () => built.getStatus(refTo(), undefined, { fresh: false, signal }),
};

/** Has a workload of this config, whatever provisioning is told to do. */
async function placed(config: MockConfig): Promise<void> {
  await provider.provision(
    mockSpec({ ...config, fail_on: config.fail_on?.filter((name) => name !== 'provision') }),
    signal,
  );
}

describe('the mock provider', () => {
  test('has nothing at first, and runs healthy as soon as it is told to', async () => {
    expect(built.name).toBe('mock');
    expect(mockDefinition).toMatchObject({ durable: false, secrets: 'values' });
    expect(await provider.getStatus(mockSpec(), { fresh: false, signal })).toEqual({
      exists: false,
      changes: [],
      compute: { state: 'stopped', health: 'unknown', running: 0, desired: 0 },
    });
    await provider.provision(mockSpec(), signal);
    expect(await provider.getStatus(mockSpec(), { fresh: false, signal })).toMatchObject({
      exists: true,
      changes: [],
      compute: { state: 'running', health: 'healthy', running: 1, desired: 1 },
    });
    expect(await provider.list(signal)).toEqual([
      {
        tenantId: 'team-a-acme',
        namespace: 'team-a',
        name: 'acme',
        resource: 'workload team-a-acme',
        isData: false,
        placement: { provider: 'mock' },
      },
    ]);
  });

  test('shows a changed spec as a change until it is updated', async () => {
    await provider.provision(mockSpec({ desired: 1 }), signal);
    const wanted = mockSpec({ desired: 3 });
    expect((await provider.getStatus(wanted, { fresh: false, signal })).changes).toMatchObject([
      { cause: 'spec' },
    ]);
    await provider.update(wanted, signal);
    expect(await provider.getStatus(wanted, { fresh: false, signal })).toMatchObject({
      changes: [],
      compute: { running: 3 },
    });
  });

  test('leaves what runs as it is while a rejected spec is kept out', async () => {
    await provider.provision(mockSpec({ desired: 1 }), signal);
    await provider.hold(mockSpec({ desired: 3 }), signal);
    expect(await built.getStatus(refTo(), undefined, { fresh: false, signal })).toMatchObject({
      compute: { desired: 1 },
    });
  });

  test('is gone once destroyed, and as often as it is asked', async () => {
    await provider.provision(mockSpec(), signal);
    for (let times = 0; times < 2; times += 1) {
      expect(await built.destroy(refTo(), anyPermit, signal)).toMatchObject({ outcome: 'gone' });
    }
    expect(await provider.list(signal)).toEqual([]);
  });

  test('holds tenants to the policy', async () => {
    const context = {
      ...mockContext(),
      policy: {
        allowed_images: ['a/*'],
        max_resources: { cpu: '', memory: '' },
        default_resources: { cpu: '', memory: '' },
      },
    };
    const strict = await createMockProvider({ block: {}, policy: {} }, context);
    const spec = { ...mockSpec(), containers: [{ name: 'app', image: 'b/x', env: [], resources: {} }] };
    expect(() => strict.desired(spec)).toThrow(expect.objectContaining({ code: 'PolicyDenied' }));
    expect(built.desired(spec)).toMatchObject({ placement });
  });

  test('ends its watch with the signal, and not before', async () => {
    const controller = new AbortController();
    const ended = vi.fn<() => void>();
    const watch = built.watch(() => undefined, controller.signal).then(ended);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).not.toHaveBeenCalled();
    controller.abort();
    await watch;
    await expect(built.watch(() => undefined, controller.signal)).resolves.toBeUndefined();
  });
});

describe('the documented keys of mock', () => {
  test('are all proven below', () => {
    expect(Object.keys(mockTenantBlock.shape)).toEqual([
      'latency_ms',
      'ready_after_ms',
      'health',
      'desired',
      'fail_on',
      'fail_code',
      'fail_times',
      'roll_back',
    ]);
  });

  test.each(mockOperations)('latency_ms: %s takes that long', async (operation) => {
    vi.useFakeTimers();
    const slow = { latency_ms: 60_000 };
    const placing = placed(slow);
    await vi.advanceTimersByTimeAsync(60_000);
    await placing;
    const ended = vi.fn<() => void>();
    const running = operations[operation](slow).then(ended);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await running;
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([{}, { latency_ms: 0 }])('latency_ms: %j waits for no timer', async (config) => {
    vi.useFakeTimers();
    await provider.provision(mockSpec(config), signal);
    expect(vi.mocked(sleep)).not.toHaveBeenCalled();
  });

  test('latency_ms: an abort ends the wait', async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const running = provider.provision(mockSpec({ latency_ms: 60_000 }), controller.signal);
    controller.abort();
    await expect(running).resolves.toBeDefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('ready_after_ms: it starts, says when to look again, and then runs', async () => {
    vi.useFakeTimers();
    await provider.provision(mockSpec({ ready_after_ms: 3000, desired: 2 }), signal);
    vi.advanceTimersByTime(1000);
    const starting = {
      exists: true,
      changes: [],
      compute: {
        state: 'starting',
        health: 'unknown',
        running: 0,
        desired: 2,
        resourceIds: { workload: 'team-a-acme' },
      },
      message: 'mock compute is starting',
    };
    expect(await built.getStatus(refTo(), undefined, { fresh: false, signal })).toEqual({
      ...starting,
      lookAgainAfterMs: 2000,
    });
    // The same again does not start anew.
    await provider.provision(mockSpec({ ready_after_ms: 3000, desired: 2 }), signal);
    vi.advanceTimersByTime(1999);
    expect(await built.getStatus(refTo(), undefined, { fresh: false, signal })).toEqual({
      ...starting,
      lookAgainAfterMs: 1,
    });
    vi.advanceTimersByTime(1);
    const after = await built.getStatus(refTo(), undefined, { fresh: false, signal });
    expect(after).toMatchObject({ compute: { state: 'running', health: 'healthy', running: 2 } });
    expect(after.lookAgainAfterMs).toBeUndefined();
  });

  test('health: it runs unhealthy, and says which key asks for it', async () => {
    await provider.provision(mockSpec({ health: 'unhealthy' }), signal);
    const { compute, message } = await built.getStatus(refTo(), undefined, { fresh: false, signal });
    expect(compute).toMatchObject({ state: 'running', health: 'unhealthy' });
    expect(message).toContain('computeConfig.mock.health');
  });

  test('desired: so many run, none too', async () => {
    await provider.provision(mockSpec({ desired: 0 }), signal);
    expect(await built.getStatus(refTo(), undefined, { fresh: false, signal })).toMatchObject({
      compute: { running: 0, desired: 0 },
    });
  });

  test('replicas goes before it, and another count is another desired state', async () => {
    const spec = { ...mockSpec({ desired: 2 }), replicas: 5 };
    await provider.provision(spec, signal);
    const { compute } = await provider.getStatus(spec, { fresh: false, signal });
    expect(compute).toMatchObject({ running: 5, desired: 5 });
    const scaled = await provider.getStatus({ ...spec, replicas: 4 }, { fresh: false, signal });
    expect(scaled.changes).toMatchObject([{ cause: 'spec' }]);
  });

  test.each(mockOperations)(
    'fail_on: %s fails, as ProviderUnavailable by default, and nothing else does',
    async (operation) => {
      const config: MockConfig = { fail_on: [operation] };
      await placed(config);
      await expect(operations[operation](config)).rejects.toMatchObject({
        code: 'ProviderUnavailable',
        message: expect.stringContaining(`${operation} fails because computeConfig.mock.fail_on`),
      });
      for (const other of mockOperations.filter((name) => name !== operation)) {
        await expect(operations[other](config)).resolves.not.toThrow();
        await placed(config);
      }
    },
  );

  test.each(errorCodes)('fail_code: fails with %s', async (fail_code) => {
    await expect(operations.provision({ fail_on: ['provision'], fail_code })).rejects.toMatchObject({
      code: fail_code,
    });
  });

  test('fail_times: fails so often per operation and tenant, then succeeds; a destroyed tenant starts afresh', async () => {
    const config: MockConfig = { fail_on: ['provision', 'validate'], fail_times: 2 };
    const outcome = (tenantId?: string): Promise<string> =>
      provider.provision(mockSpec(config, tenantId), signal).then(
        () => 'ok',
        () => 'failed',
      );
    expect([await outcome(), await outcome(), await outcome()]).toEqual(['failed', 'failed', 'ok']);
    expect(await outcome('other')).toBe('failed');
    await expect(provider.validate(mockSpec(config), signal)).rejects.toThrow('validate fails');
    await built.destroy(refTo(), anyPermit, signal);
    expect(await outcome()).toBe('failed');
  });

  test('roll_back: the update ends rolled back, and what ran before runs on', async () => {
    await provider.provision(mockSpec({ desired: 2 }), signal);
    expect(await provider.update(mockSpec({ roll_back: true }), signal)).toMatchObject({
      outcome: 'rolled_back',
      reason: 'RolledBack',
    });
    expect(await built.getStatus(refTo(), undefined, { fresh: false, signal })).toMatchObject({
      compute: { running: 2 },
    });
  });
});
