import { expect, onTestFinished, test, vi } from 'vitest';
import type { Provider } from '../../../../src/compute/provider.ts';
import { dockerOn } from '../../../../src/compute/providers/docker/provider.ts';
import { anyPermit } from '../../permits.ts';
import { context, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const on = { image_gc: { enabled: true, dry_run: false, grace_period: '1ms' } };
/** By then, the engine has told what it remembers. */
const caughtUp = () => {
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 10_000);
  onTestFinished(() => clock.mockRestore());
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A provider that hears what happens on its engine. */
async function watching(engine: MemoryEngine, block: Record<string, unknown> = on) {
  const provider = drivenDocker(engine, settings(block));
  const stop = new AbortController();
  const watch = provider.watch(() => undefined, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watch;
    await provider.close();
  });
  await turn();
  return provider;
}

async function roll(provider: Awaited<ReturnType<typeof watching>>, image: string): Promise<void> {
  const spec = tenantSpec({ image });
  for (let tries = 0; tries < 50; tries += 1) {
    await provider.getStatus(spec, { fresh: true, signal });
    const { outcome } = await provider.update(spec, signal);
    await turn();
    if (outcome !== 'done') continue;
    // What it came from is of no interest once it was seen in place.
    for (let looks = 0; looks < 2; looks += 1) await provider.getStatus(spec, { fresh: true, signal });
    return;
  }
  throw new Error(`${image} does not come to rest`);
}

test('where it is off, nothing is written down, heard or removed', async () => {
  const engine = memoryEngine();
  const provider = await watching(engine, {});
  await roll(provider, 'app:1');
  expect(provider.collectImages).toBeUndefined();
  expect(engine.calls).not.toContain('listImages');
  expect([...engine.volumes.keys()]).toEqual([]);
});

test('by default it only tells', () => {
  expect(settings().block.image_gc).toEqual({ enabled: false, grace_period: '24h', dry_run: true });
});

test('what a tenant asks for, runs on or may go back to stays, and all goes with the tenant', async () => {
  const engine = memoryEngine();
  const provider = await watching(engine);
  for (const image of ['app:1', 'app:2', 'app:3', 'app:4']) await roll(provider, image);
  // What was pulled is no longer young, by the engine's clock.
  const nowMs = engine.time.nowMs.bind(engine.time);
  Object.assign(engine.time, { nowMs: () => nowMs() + 60_000 });
  caughtUp();
  const look = async () => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return provider.collectImages?.(anyPermit, signal);
  };
  expect(await look()).toMatchObject({ kept: { used: 1, rollback: 2, grace: 1 } });
  expect(await look()).toMatchObject({ kept: { used: 1, rollback: 2 }, removed: 1, bytes: 1_000 });
  expect([...engine.images]).toEqual(['app:2', 'app:3', 'app:4']);
  await provider.destroy(tenantSpec({ image: 'app:4' }), signal);
  await look();
  expect(await look()).toMatchObject({ removed: 3 });
  expect([...engine.images]).toEqual([]);
});

test('of several engines, each looks after its own images', async () => {
  const engines = [memoryEngine([], 0, 'own'), memoryEngine([], 0, 'edge')] as const;
  const { block, policy } = settings({
    ...on,
    host: engines[0].address,
    engines: { 'edge-1': { host: engines[1].address } },
  });
  const connect = (host: string) => engines.find(({ address }) => address === host) ?? engines[0];
  const provider = dockerOn(block, policy, context({ connect })) as Provider;
  const stop = new AbortController();
  const watch = provider.watch(() => undefined, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watch;
  });
  await turn();
  caughtUp();
  expect(await provider.collectImages?.(anyPermit, signal, 'edge-1')).toMatchObject({ domain: 'edge-1' });
  expect(engines.map(({ calls }) => calls.filter((call) => call === 'listImages').length)).toEqual([0, 1]);
  expect(await provider.collectImages?.(anyPermit, signal, '')).toMatchObject({ domain: '' });
});
