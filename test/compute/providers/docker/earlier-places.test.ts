import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../../src/api/status.ts';
import { permitUpTo } from '../../../../src/compute/permit.ts';
import { drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';
import type { MemoryContainer } from './memory-engine.ts';

const signal = new AbortController().signal;
const onPort = tenantSpec({ ports: [{ container_port: 80, host_port: 8080 }] });

/** A tenant that runs, and the operator with another label_prefix. */
async function renamed(spec = onPort) {
  const engine = memoryEngine(['app:1']);
  const before = drivenDocker(engine);
  await before.provision(spec, signal);
  const after = drivenDocker(engine, settings({ label_prefix: 'acme' }));
  const desired = { ...after.bare.desired(spec), leaving: [before.desired(spec).placement] };
  const states = () => [...engine.containers.values()].map(({ name, state }) => `${name} ${state}`);
  return { engine, before, desired, states, provider: after.bare };
}

describe('after a change of label_prefix', () => {
  it('what holds the host port at the earlier place is an outage to be announced, and nothing is stopped without consent', async () => {
    const { desired, provider, states } = await renamed();
    const seen = await provider.getStatus(desired, desired, { fresh: true, signal });
    expect(seen.changes).toContainEqual({
      path: 'earlier.landlord-tenant-acme',
      desired: 'stopped',
      actual: 'running',
      cause: 'spec',
      effect: 'outage',
    });
    for (const effect of ['live', 'gap'] as const) {
      await expect(provider.provision(desired, permitUpTo(effect), signal)).rejects.toMatchObject({
        code: 'ApprovalRequired',
      });
      expect(states()).toEqual(['landlord-tenant-acme running', 'acme-tenant-acme created']);
    }
  });

  it('with consent it is stopped, the new place starts, and the earlier one can be emptied', async () => {
    const { before, desired, provider, states } = await renamed();
    await provider.provision(desired, permitUpTo('outage'), signal);
    expect(states()).toEqual(['landlord-tenant-acme exited', 'acme-tenant-acme running']);
    expect((await provider.getStatus(desired, desired, { fresh: true, signal })).changes).toEqual([]);
    await provider.destroy(before.desired(onPort), permitUpTo('replace'), signal);
    expect(states()).toEqual(['acme-tenant-acme running']);
  });

  it('nothing is stopped where both can run, nor at a place that nobody says is left', async () => {
    const free = await renamed(tenantSpec({ ports: [{ container_port: 80 }] }));
    expect(
      (await free.provider.getStatus(free.desired, free.desired, { fresh: true, signal })).changes,
    ).toMatchObject([{ effect: 'live' }]);
    await free.provider.provision(free.desired, permitUpTo('live'), signal);
    expect(free.states()).toEqual(['landlord-tenant-acme running', 'acme-tenant-acme running']);
    const { desired, provider, states } = await renamed();
    const { leaving: _none, ...alone } = desired;
    await provider.provision(alone, permitUpTo('data-loss'), signal).catch(() => undefined);
    expect(states()[0]).toBe('landlord-tenant-acme running');
  });

  it('what holds the host port there does not hold up what was left at the new place and is to be replaced', async () => {
    const engine = memoryEngine(['app:1', 'app:2']);
    const after = drivenDocker(engine, settings({ label_prefix: 'acme' }));
    const onPortOf = (image: string) =>
      tenantSpec({ image, ports: [{ container_port: 80, host_port: 8080 }] });
    await after.provision(onPortOf('app:1'), signal);
    const [left] = engine.containers.values();
    Object.assign(left ?? {}, { state: 'exited', exitCode: 1 });
    const before = drivenDocker(engine);
    await before.provision(onPortOf('app:2'), signal);
    // It crashes, and the engine starts it again, whoever else has its port.
    Object.assign(left ?? {}, { state: 'restarting' });
    const leaving = [before.bare.desired(onPortOf('app:2')).placement];
    const desired = { ...after.bare.desired(onPortOf('app:2')), leaving };
    await after.bare.update(desired, permitUpTo('outage'), signal);
    expect([...engine.containers.values()].map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
      'acme-tenant-acme running',
      'landlord-tenant-acme exited',
    ]);
  });

  /** The same in the middle of a rollout: what serves has no host port, its successor has, and is not known to run well. */
  async function renamedInRollout(prepare: (one: MemoryContainer) => void) {
    const engine = memoryEngine(['app:1']);
    await drivenDocker(engine).provision(tenantSpec({}), signal);
    const before = drivenDocker(engine, settings(), { settleMs: 60_000 });
    await before.update(onPort, signal);
    for (const container of engine.containers.values()) prepare(container);
    const after = drivenDocker(engine, settings({ label_prefix: 'acme' }));
    const desired = { ...after.bare.desired(onPort), leaving: [before.desired(onPort).placement] };
    const seen = await after.bare.getStatus(desired, desired, { fresh: true, signal });
    const states = () => [...engine.containers.values()].map(({ name, state }) => `${name} ${state}`);
    return { desired, provider: after.bare, states, changes: seen.changes };
  }

  it('a successor that was tried there gives way without a word, for what serves runs on', async () => {
    const { changes, desired, provider, states } = await renamedInRollout(() => undefined);
    expect(changes).toContainEqual(
      expect.objectContaining({ path: 'earlier.landlord-tenant-acme_next', effect: 'live' }),
    );
    await provider.provision(desired, permitUpTo('live'), signal);
    expect(states()).toEqual([
      'landlord-tenant-acme running',
      'landlord-tenant-acme_next exited',
      'acme-tenant-acme running',
    ]);
  });

  it.each<[what: string, prepare: (one: MemoryContainer) => void, effect: Effect, lesser: Effect]>([
    [
      'the only one that runs, though it was only tried',
      (one) => {
        if (!one.name.endsWith('_next')) one.state = 'exited';
      },
      'outage',
      'gap',
    ],
    [
      'one that was succeeded',
      (one) => {
        one.name = one.name.replace('_next', '_old');
      },
      'replace',
      'live',
    ],
  ])('%s is stopped with consent to that alone', async (_what, prepare, effect, lesser) => {
    const { changes, desired, provider, states } = await renamedInRollout(prepare);
    expect(changes.filter(({ path }) => path.startsWith('earlier.'))).toMatchObject([{ effect }]);
    const before = states();
    await expect(provider.provision(desired, permitUpTo(lesser), signal)).rejects.toMatchObject({
      code: 'ApprovalRequired',
    });
    expect(states()).toEqual([...before, 'acme-tenant-acme created']);
    await provider.provision(desired, permitUpTo(effect), signal);
    expect(states()).toContain('acme-tenant-acme running');
  });
});
