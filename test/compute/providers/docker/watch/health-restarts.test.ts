import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { permitUpTo } from '../../../../../src/compute/permit.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';

const signal = new AbortController().signal;
const minuteMs = 60_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

async function running(unhealthyPolicy?: 'Report' | 'Restart', config = {}) {
  const engine = memoryEngine(['app:1']);
  const provider = drivenDocker(engine, settings(), {});
  const containers = [containerSpec('app'), containerSpec('db')];
  const spec = tenantSpec(config, { containers, ...(unhealthyPolicy && { unhealthyPolicy }) });
  await provider.provision(spec, signal);
  const app = [...engine.containers.values()].find(({ name }) => name.endsWith('.app'));
  if (app === undefined) throw new Error('no container');
  engine.calls.length = 0;
  return {
    app,
    spec,
    provider,
    look: () => provider.getStatus(spec, { fresh: true, signal }),
    /** How often it was ended and begun again by a step. */
    step: async () => {
      engine.calls.length = 0;
      await provider.update(spec, signal);
      const [stops, starts] = ['stopContainer', 'startContainer'].map(
        (call) => engine.calls.filter((one) => one === call).length,
      );
      expect(starts).toBe(stops);
      return stops;
    },
  };
}

const toRestart = {
  path: 'containers.app',
  desired: 'started',
  actual: 'unhealthy',
  cause: 'drift',
  effect: 'gap',
};

describe('a container that fails its health check', () => {
  it('is left as it is where nobody asks for more', async () => {
    for (const policy of [undefined, 'Report'] as const) {
      const { app, look, step } = await running(policy);
      app.health = 'unhealthy';
      expect((await look()).changes).toEqual([]);
      expect(await step()).toBe(0);
    }
  });

  it('is restarted at once, it alone and the same one, and told of', async () => {
    const { app, look, step } = await running('Restart');
    expect((await look()).changes).toEqual([]);
    app.health = 'unhealthy';
    expect(await look()).toMatchObject({
      changes: [toRestart],
      message: 'container app fails its health check',
    });
    const { id } = app;
    expect(await step()).toBe(1);
    expect([app.id, app.state]).toEqual([id, 'running']);
  });

  it('is restarted ever more slowly while that does not help', async () => {
    const { app, look, step } = await running('Restart');
    app.health = 'unhealthy';
    expect(await step()).toBe(1);
    for (const waitMs of [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
      vi.setSystemTime(Date.now() + waitMs - 1);
      expect(await look()).toMatchObject({
        changes: [],
        lookAgainAfterMs: 1,
        message: 'container app fails its health check, also after a restart',
      });
      expect(await step()).toBe(0);
      vi.setSystemTime(Date.now() + 1);
      expect([waitMs, await step()]).toEqual([waitMs, 1]);
    }
  });

  it('is restarted at once again after five good minutes, and not after a good moment', async () => {
    const { app, look, step } = await running('Restart');
    const after = async (goodMs: number) => {
      app.health = 'unhealthy';
      await step();
      app.health = 'healthy';
      vi.setSystemTime(Date.now() + goodMs);
      await look();
      app.health = 'unhealthy';
      return step();
    };
    expect(await after(9_000)).toBe(0);
    vi.setSystemTime(Date.now() + minuteMs);
    expect(await step()).toBe(1);
    expect(await after(5 * minuteMs + 1)).toBe(1);
    vi.setSystemTime(Date.now() + 10_000);
    expect(await step()).toBe(1);
  });

  it('asks nobody to look again for it where it is no longer to be restarted', async () => {
    const { app, step, provider, spec } = await running('Restart');
    app.health = 'unhealthy';
    await step();
    vi.setSystemTime(Date.now() + minuteMs);
    const { unhealthyPolicy: _none, ...reporting } = spec;
    const seen = await provider.getStatus(reporting, { fresh: true, signal });
    expect([seen.changes, seen.lookAgainAfterMs]).toEqual([[], undefined]);
  });

  it.each(['no', 'on-failure'])('is not ended where nothing starts it again: %s', async (restart_policy) => {
    const { app, look, step } = await running('Restart', { restart_policy });
    app.health = 'unhealthy';
    expect((await look()).changes).toEqual([]);
    expect(await step()).toBe(0);
  });

  it('is not ended without consent to the gap', async () => {
    const { app, provider, spec } = await running('Restart');
    app.health = 'unhealthy';
    const desired = provider.bare.desired(spec);
    await expect(provider.bare.update(desired, permitUpTo('live'), signal)).rejects.toMatchObject({
      code: 'ApprovalRequired',
    });
    expect(app.state).toBe('running');
  });

  it('makes no other container of it', async () => {
    const { provider, spec } = await running('Restart');
    const { unhealthyPolicy: _none, ...reporting } = spec;
    expect(provider.bare.desired(reporting).specHash).toBe(provider.bare.desired(spec).specHash);
  });
});
