import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { drivenDocker, settings, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';

const signal = new AbortController().signal;
const spec = tenantSpec();
const lastingMs = 5_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

async function running() {
  const engine = memoryEngine(['app:1']);
  const provider = drivenDocker(engine, settings(), { pauseMs: lastingMs });
  await provider.provision(spec, signal);
  const [container] = engine.containers.values();
  if (container === undefined) throw new Error('no container');
  engine.calls.length = 0;
  const become = async (state: string, event: string): Promise<void> => {
    container.state = state;
    engine.emit(event, container);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    engine,
    provider,
    container,
    pause: () => become('paused', 'pause'),
    unpause: () => become('running', 'unpause'),
    look: (fresh = false) => provider.getStatus(spec, { fresh, signal }),
  };
}

function watching(provider: ReturnType<typeof drivenDocker>): void {
  const stop = new AbortController();
  const ended = provider.watch(() => undefined, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
}

const asRunning = { changes: [], compute: { state: 'running', health: 'healthy', running: 1 } };

describe.each([['with a watch'], ['without one']])('a pause, %s,', (how) => {
  it('that does not last, as docker commit makes it, is neither shown nor undone', async () => {
    const { engine, provider, pause, unpause, look } = await running();
    if (how === 'with a watch') watching(provider);
    await pause();
    expect(await look()).toMatchObject({ ...asRunning, lookAgainAfterMs: lastingMs });
    expect(await look(true)).toMatchObject(asRunning);
    await provider.update(spec, signal);
    vi.setSystemTime(Date.now() + lastingMs - 1);
    expect(await look()).toMatchObject({ ...asRunning, lookAgainAfterMs: 1 });
    await unpause();
    expect((await look()).lookAgainAfterMs).toBeUndefined();
    expect(engine.calls).not.toContain('unpauseContainer');
  });

  it('that lasts is drift, and is undone', async () => {
    const { engine, provider, container, pause, look } = await running();
    if (how === 'with a watch') watching(provider);
    await pause();
    await look();
    vi.setSystemTime(Date.now() + lastingMs);
    expect(await look()).toMatchObject({
      changes: [{ path: 'containers.app.state', actual: 'paused', cause: 'drift' }],
      compute: { running: 0 },
    });
    await provider.update(spec, signal);
    expect(engine.calls).toContain('unpauseContainer');
    expect(container.state).toBe('running');
  });

  it('after another one counts from its own beginning', async () => {
    const { provider, pause, unpause, look } = await running();
    if (how === 'with a watch') watching(provider);
    await pause();
    await look();
    await unpause();
    await look();
    vi.setSystemTime(Date.now() + lastingMs);
    await pause();
    expect(await look()).toMatchObject(asRunning);
  });
});
