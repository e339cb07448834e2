import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import { measuredProvider } from '../../src/compute/measured-provider.ts';
import type { Provider, TenantPlace } from '../../src/compute/provider.ts';
import { anyPermit } from './permits.ts';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { mockContext, mockSpec } from './providers/mock/mock-spec.ts';

const signal = new AbortController().signal;
const ref: TenantPlace = {
  tenantId: 'team-a-acme',
  namespace: 'team-a',
  name: 'acme',
  placement: { provider: 'mock' },
};

async function mock(): Promise<Provider> {
  const create = await providerDefinitions.find(({ name }) => name === 'mock')?.load();
  if (create === undefined) throw new Error('no mock provider');
  return create({ block: {}, policy: {} }, mockContext());
}

describe('measuredProvider', () => {
  test('measures each operation once, by its name', async () => {
    const seen: string[] = [];
    const provider = measuredProvider(await mock(), (operation, result) =>
      seen.push(`${operation} ${result}`),
    );
    const desired = provider.desired(mockSpec());
    await provider.validate(desired, signal);
    await provider.provision(desired, anyPermit, signal);
    await provider.update(desired, anyPermit, signal);
    await provider.hold(desired, anyPermit, signal);
    await provider.getStatus(ref, desired, { fresh: false, signal });
    await provider.list(signal);
    await provider.destroy(ref, anyPermit, signal);
    await provider.close();
    expect(seen).toEqual([
      'validate ok',
      'provision ok',
      'update ok',
      'hold ok',
      'get_status ok',
      'list ok',
      'destroy ok',
    ]);
  });

  test('tells a failure by its code, what is no ComputeError as a bug, and rejects with the same error', async () => {
    const seen: string[] = [];
    const inner = await mock();
    const failure = new ComputeError('Throttled', 'm');
    const bug = new TypeError('x');
    const provider = measuredProvider(
      { ...inner, provision: () => Promise.reject(failure), update: () => Promise.reject(bug) },
      (operation, result) => seen.push(`${operation} ${result}`),
    );
    await expect(provider.provision(provider.desired(mockSpec()), anyPermit, signal)).rejects.toBe(failure);
    await expect(provider.update(provider.desired(mockSpec()), anyPermit, signal)).rejects.toBe(bug);
    expect(seen).toEqual(['provision Throttled', 'update bug']);
  });

  test('tells how long an operation took, the waiting included', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const durations: number[] = [];
    const inner = await mock();
    const provider = measuredProvider(
      { ...inner, list: () => new Promise((resolve) => setTimeout(() => resolve([]), 1_500)) },
      (_operation, _result, durationMs) => durations.push(durationMs),
    );
    const listed = provider.list(signal);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(await listed).toEqual([]);
    expect(durations).toEqual([1_500]);
  });

  test('passes every argument and every answer on', async () => {
    const calls: unknown[][] = [];
    const answers = (operation: string) =>
      ((...args: unknown[]) => {
        calls.push([operation, ...args]);
        return operation === 'desired' ? operation : Promise.resolve(operation);
      }) as never;
    const operations = [
      'desired',
      'locate',
      'validate',
      'provision',
      'update',
      'hold',
      'destroy',
      'getStatus',
      'list',
      'watch',
      'close',
    ];
    const real = await mock();
    const inner = {
      ...real,
      ...Object.fromEntries(operations.map((operation) => [operation, answers(operation)])),
    };
    const provider = measuredProvider(inner, () => undefined);
    expect(provider.name).toBe('mock');
    const [spec, onChange, how] = [mockSpec(), () => undefined, { fresh: true, signal }];
    const desired = real.desired(spec);
    const given: unknown[] = [
      provider.desired(spec),
      await provider.locate?.(desired.placement, signal),
      await provider.validate(desired, signal),
      await provider.provision(desired, anyPermit, signal),
      await provider.update(desired, anyPermit, signal),
      await provider.hold(desired, anyPermit, signal),
      await provider.destroy(ref, anyPermit, signal),
      await provider.getStatus(ref, desired, how),
      await provider.list(signal, 'edge-1'),
      await provider.watch(onChange, signal),
      await provider.close(),
    ];
    expect(given).toEqual(operations);
    expect(calls).toEqual([
      ['desired', spec],
      ['locate', desired.placement, signal],
      ['validate', desired, signal],
      ['provision', desired, anyPermit, signal],
      ['update', desired, anyPermit, signal],
      ['hold', desired, anyPermit, signal],
      ['destroy', ref, anyPermit, signal],
      ['getStatus', ref, desired, how],
      ['list', signal, 'edge-1'],
      ['watch', onChange, signal],
      ['close'],
    ]);
  });

  test('has every member of the provider that it measures', async () => {
    const inner = await mock();
    const measured = measuredProvider(inner, () => undefined);
    expect(Object.keys(measured).toSorted()).toEqual(Object.keys(inner).toSorted());
  });
});
