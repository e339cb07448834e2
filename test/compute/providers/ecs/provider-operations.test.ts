import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ComputeError } from '../../../../src/compute/errors.ts';
import { ecsDefinition } from '../../../../src/compute/providers/ecs/definition.ts';
import { containerSpec, context, drivenEcs, settings, settled, tenantSpec } from './ecs-fixture.ts';
import { memoryEcs, writesOf } from './memory-ecs.ts';
import type { MemoryEcs } from './memory-ecs.ts';

const signal = new AbortController().signal;
const { block, policy } = settings();
const name = 'landlord-tenant-acme';

function setUp(): { ecs: MemoryEcs; provider: ReturnType<typeof drivenEcs> } {
  const ecs = memoryEcs();
  return { ecs, provider: drivenEcs(ecs, block, policy, context()) };
}

describe('the watch', () => {
  test('sweeps, tells of what changed, and answers the look that follows from what it saw', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const ecs = memoryEcs();
    const provider = drivenEcs(ecs, block, policy, context({ sweepIntervalMs: 60_000 }));
    const spec = tenantSpec({ desired_count: 1 });
    await provider.provision(spec, signal);
    await settled(provider, spec);
    const stop = new AbortController();
    const changed: (string | undefined)[] = [];
    const watching = provider.watch((tenantId) => void changed.push(tenantId), stop.signal);
    Object.assign(ecs.service(name) ?? {}, { desiredCount: 2 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(changed).toEqual(['acme']);
    ecs.calls.length = 0;
    const seen = await provider.getStatus(spec, { fresh: false, signal });
    expect(seen.changes).toContainEqual(expect.objectContaining({ path: 'desiredCount', cause: 'drift' }));
    expect(ecs.calls.map((call) => call.name)).not.toContain('describeService');
    stop.abort();
    await watching;
  });

  test('takes old revisions away, one every 6 s, and ends with its signal', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { ecs, provider } = setUp();
    const running = (image: string) => tenantSpec({}, { containers: [containerSpec('app', { image })] });
    for (const image of ['app:1', 'app:2']) await provider.update(running(image), signal);
    await settled(provider, running('app:2'));
    const stop = new AbortController();
    const watching = provider.watch(() => undefined, stop.signal);
    const deregistered = () => writesOf(ecs).filter((call) => call === 'deregisterTaskDefinition').length;
    await vi.advanceTimersByTimeAsync(5_999);
    expect(deregistered()).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(deregistered()).toBe(1);
    stop.abort();
    await watching;
    expect(vi.getTimerCount()).toBe(0);
  });

  test('makes a settled tenant’s look free of calls, and a fresh one not', async () => {
    const { ecs, provider } = setUp();
    const stop = new AbortController();
    const watching = provider.watch(() => undefined, stop.signal);
    try {
      await provider.provision(tenantSpec(), signal);
      await settled(provider, tenantSpec());
      ecs.calls.length = 0;
      await provider.getStatus(tenantSpec(), { fresh: false, signal });
      expect(ecs.calls).toEqual([]);
      await provider.getStatus(tenantSpec(), { fresh: true, signal });
      expect(ecs.calls.map((call) => call.name)).toEqual(['describeService']);
    } finally {
      stop.abort();
      await watching;
    }
  });

  test('that has ended leaves looks to ask ECS', async () => {
    const { ecs, provider } = setUp();
    const [first, second] = [new AbortController(), new AbortController()];
    const watching = [first, second].map((stop) => provider.watch(() => undefined, stop.signal));
    await provider.provision(tenantSpec(), signal);
    await settled(provider, tenantSpec());
    const looks = async (): Promise<number> => {
      ecs.calls.length = 0;
      await provider.getStatus(tenantSpec(), { fresh: false, signal });
      return ecs.calls.length;
    };
    first.abort();
    await watching[0];
    expect(await looks()).toBe(0);
    second.abort();
    await watching[1];
    expect(await looks()).toBe(1);
  });
});

describe('an operation', () => {
  const rejecting = (reason: unknown) => {
    const ecs = memoryEcs();
    const describeService = async () => Promise.reject(reason);
    return drivenEcs({ ...ecs, describeService }, block, policy, context());
  };

  test.each([
    ['ProvisionFailed', 'UpdateFailed'],
    ['UpdateFailed', 'UpdateFailed'],
    ['DestroyFailed', 'DestroyFailed'],
    ['AccessDenied', 'AccessDenied'],
  ] as const)('that ECS refuses with %s is, as an update, %s', async (code, end) => {
    const provider = rejecting(new ComputeError(code, 'no'));
    await expect(provider.update(tenantSpec(), signal)).rejects.toMatchObject({ code: end, message: 'no' });
  });

  test('that ECS refuses as an update is, as a provision, ProvisionFailed', async () => {
    const provider = rejecting(new ComputeError('UpdateFailed', 'no'));
    await expect(provider.provision(tenantSpec(), signal)).rejects.toMatchObject({ code: 'ProvisionFailed' });
  });

  test.each([
    [new Error('odd'), 'ECS: odd'],
    ['odder', 'ECS: odder'],
  ])('that ends by no error of ours is ProviderUnavailable: %s', async (error, message) => {
    const provider = rejecting(error);
    const unavailable = { code: 'ProviderUnavailable', message };
    await expect(provider.provision(tenantSpec(), signal)).rejects.toMatchObject(unavailable);
    await expect(provider.update(tenantSpec(), signal)).rejects.toMatchObject(unavailable);
    await expect(provider.destroy(tenantSpec(), signal)).rejects.toMatchObject(unavailable);
    const looking = provider.getStatus(tenantSpec(), { fresh: false, signal });
    await expect(looking).rejects.toMatchObject(unavailable);
  });

  test('asks ECS afresh after each step, and forgets a place that was destroyed', async () => {
    const { ecs, provider } = setUp();
    const stop = new AbortController();
    const watching = provider.watch(() => undefined, stop.signal);
    await provider.provision(tenantSpec(), signal);
    await settled(provider, tenantSpec());
    await provider.update(tenantSpec(), signal);
    ecs.calls.length = 0;
    await provider.getStatus(tenantSpec(), { fresh: false, signal });
    expect(ecs.calls).toEqual([{ name: 'describeService', input: 'sweep' }]);
    expect((await provider.destroy(tenantSpec(), signal)).outcome).toBe('gone');
    ecs.calls.length = 0;
    const at = provider.desired(tenantSpec());
    await provider.undriven.getStatus(at, undefined, { fresh: false, signal });
    expect(ecs.calls).toHaveLength(1);
    stop.abort();
    await watching;
  });

  test('of one service waits for the one before', async () => {
    const { ecs } = setUp();
    const gate = Promise.withResolvers<void>();
    const begun: string[] = [];
    const createService: MemoryEcs['createService'] = async (...args) => {
      begun.push('create');
      await gate.promise;
      return ecs.createService(...args);
    };
    const deleteService: MemoryEcs['deleteService'] = async (...args) => {
      begun.push('delete');
      return ecs.deleteService(...args);
    };
    const provider = drivenEcs({ ...ecs, createService, deleteService }, block, policy, context());
    const made = provider.provision(tenantSpec(), signal);
    const gone = provider.destroy(tenantSpec(), signal);
    await vi.waitFor(() => expect(begun).toEqual(['create']), 30_000);
    gate.resolve();
    await made;
    expect((await gone).outcome).toBe('gone');
    expect(begun).toEqual(['create', 'delete']);
  });
});

test.each([
  [{}, { region: 'us-west-2' }],
  [{ region: 'eu-west-1' }, { region: 'eu-west-1' }],
  [
    { assume_role: { role_arn: 'arn:aws:iam::123456789012:role/hub' } },
    { region: 'us-west-2', roleArn: 'arn:aws:iam::123456789012:role/hub' },
  ],
])('the list of an operator with %j is that of its own cluster, as %j', async (operators, scope) => {
  const asked: unknown[] = [];
  const api: MemoryEcs = {
    ...memoryEcs(),
    async *listServices(target) {
      asked.push(target);
      yield [];
    },
  };
  const { block: own } = settings(operators);
  expect(await drivenEcs(api, own, policy, context()).list(signal)).toEqual([]);
  expect(asked).toEqual([{ scope, cluster: own.cluster_arn }]);
});

test('a provider says of itself what holds, asks nothing to validate, and lets go of its client', async () => {
  const ecs = memoryEcs();
  const close = vi.fn<() => void>();
  const provider = drivenEcs({ ...ecs, close }, block, policy, context());
  expect(provider.name).toBe('ecs');
  expect(ecsDefinition).toMatchObject({ name: 'ecs', durable: true, secrets: 'references' });
  await provider.validate(tenantSpec(), signal);
  expect(ecs.calls).toEqual([]);
  await provider.close();
  expect(close).toHaveBeenCalledOnce();
});
