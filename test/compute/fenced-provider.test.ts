import { describe, expect, test } from 'vitest';
import { fencedProvider } from '../../src/compute/fenced-provider.ts';
import { measuredProvider } from '../../src/compute/measured-provider.ts';
import type { OwnedResource, Provider } from '../../src/compute/provider.ts';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { mockContext, mockSpec } from './providers/mock/mock-spec.ts';
import { anyPermit } from './permits.ts';

const signal = new AbortController().signal;

describe('a provider behind a fence', () => {
  async function fenced() {
    const create = await providerDefinitions.find(({ name }) => name === 'mock')?.load();
    if (create === undefined) throw new Error('no mock provider');
    const fence = { open: true };
    const inner = await create({ block: {}, policy: {} }, mockContext());
    const provider = fencedProvider(inner, () => fence.open);
    return { provider, inner, fence, desired: provider.desired(mockSpec()) };
  }

  test('does all that it did, as long as it may', async () => {
    const { provider, desired } = await fenced();
    await provider.validate(desired, signal);
    await provider.provision(desired, anyPermit, signal);
    expect(await provider.update(desired, anyPermit, signal)).toMatchObject({ outcome: 'done' });
    expect(await provider.hold(desired, anyPermit, signal)).toMatchObject({ outcome: 'done' });
    expect(await provider.list(signal)).toHaveLength(1);
    expect(await provider.destroy(desired, anyPermit, signal)).toMatchObject({ outcome: 'gone' });
    await provider.close();
  });

  test('lists one domain where it has several', async () => {
    const { inner } = await fenced();
    const list = async (_signal: AbortSignal, domain = 'all') => [{ resource: domain } as OwnedResource];
    const several: Provider = { ...inner, domains: ['a', 'b'], list };
    const wrapped = [fencedProvider(several, () => true), measuredProvider(several, () => undefined)];
    for (const provider of wrapped) {
      expect(provider.domains).toEqual(['a', 'b']);
      expect(await provider.list(signal, 'b')).toEqual([{ resource: 'b' }]);
    }
  });

  test('looks, and changes nothing, once it may not', async () => {
    const { provider, inner, fence, desired } = await fenced();
    await provider.provision(desired, anyPermit, signal);
    fence.open = false;
    for (const operation of ['provision', 'update', 'hold', 'destroy'] as const) {
      const refused = provider[operation](desired, anyPermit, signal);
      await expect(refused).rejects.toMatchObject({ code: 'ProviderUnavailable' });
    }
    expect((await provider.getStatus(desired, desired, { fresh: true, signal })).exists).toBe(true);
    expect(await inner.list(signal)).toHaveLength(1);
  });
});
