import { describe, expect, test } from 'vitest';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import { startController } from './controller-fixture.ts';
import type { ControllerFixture } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import type { ScriptedProvider } from './scripted-provider.ts';
import { image, key, running } from './tenant-fixture.ts';

/** A Ready tenant, and somebody who does something to what runs each time it is put right. */
async function withRival(rival: (docker: ScriptedProvider) => void) {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.create('acme', image('ours'));
  fixture.news();
  docker.calls.length = 0;
  /** The rival answers within 200 ms, after the tenant was seen Ready. */
  const fight = async (seconds: number): Promise<void> => {
    for (let n = 0; n < seconds * 10; n += 1) {
      if (n % 2 === 0 && docker.workloads.get(key)?.specHash === 'image=ours') rival(docker);
      docker.hint('team-a-acme-9201d5e7');
      await fixture.pass(100);
    }
  };
  return { docker, fixture, fight, steps: () => changesIn(docker.calls).length };
}

const rivals: [what: string, rival: (docker: ScriptedProvider) => void][] = [
  ['replaces it', (docker) => docker.workloads.set(key, { specHash: 'image=theirs', drift: [], shows: {} })],
  [
    'changes it',
    (docker) => {
      const drift = docker.workloads.get(key)?.drift;
      if (drift?.length === 0)
        drift.push({ path: 'limits', desired: '1', actual: '2', cause: 'drift', effect: 'live' });
    },
  ],
  ['removes it', (docker) => void docker.workloads.delete(key)],
];

describe.each(rivals)('of somebody who %s again and again', (_what, rival) => {
  test('the operator undoes it ever more slowly', async () => {
    const { fight, steps } = await withRival(rival);
    await fight(40);
    const first = steps();
    expect(first).toBeLessThanOrEqual(8);
    await fight(40);
    expect(steps() - first).toBeLessThanOrEqual(2);
  });

  test('it says so, by a Warning and in the condition', async () => {
    const { fixture, fight } = await withRival(rival);
    await fight(10);
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=False/UpdateFailed');
    expect(await fixture.message('acme')).toMatch(/again and again/);
    expect(fixture.news()).toContain('Warning UpdateFailed');
  });

  test('it is over once there was peace for a while', async () => {
    const { docker, fixture, fight, steps } = await withRival(rival);
    await fight(10);
    await fixture.pass(60_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    await fixture.pass(120_000);
    const before = steps();
    rival(docker);
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass();
    expect(steps() - before).toBe(1);
  });

  test('a new spec, and a requested reconcile, are done at once', async () => {
    const { docker, fixture, fight, steps } = await withRival(rival);
    await fight(10);
    const before = steps();
    await fixture.patch('acme', { metadata: { annotations: { [reconcileRequestedAt]: 'noon' } } });
    expect(steps() - before).toBe(1);
    await fight(10);
    await fixture.patch('acme', { spec: image('new') });
    expect(docker.workloads.get(key)?.specHash).toBe('image=new');
  });
});

test('what bears another operator’s mark is undone at once only the first time, and then has time to settle', async () => {
  const replaced = rivals[0]?.[1] ?? (() => undefined);
  const { docker, fixture, steps } = await withRival(replaced);
  const undone: number[] = [];
  for (let second = 0; second < 60; second += 1) {
    if (docker.workloads.get(key)?.specHash === 'image=ours') replaced(docker);
    const before = steps();
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass(1_000);
    if (steps() > before) undone.push(second);
  }
  expect(undone).toHaveLength(4);
  const waits = undone.slice(1).map((second, n) => second - (undone[n] ?? 0));
  expect(waits.every((wait, n) => wait >= 8 * 2 ** n)).toBe(true);
});

describe('a status that somebody else writes over again and again', () => {
  /** Somebody else's word each second, while the engine tells of something all the time. */
  async function overwritten() {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('ours'));
    for (let n = 0; n < 60; n += 1) {
      const conditions = [{ ...words, message: `theirs ${n}` }];
      await fixture.tenants.mergePatch(
        'acme',
        'team-a',
        { status: { conditions } },
        { subresource: 'status' },
      );
      for (let tenths = 0; tenths < 10; tenths += 1) {
        docker.hint('team-a-acme-9201d5e7');
        await fixture.pass(100);
      }
    }
    return { docker, fixture };
  }
  const words = {
    type: 'Ready',
    status: 'False',
    reason: 'Unhealthy',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };

  test('is put right ever more slowly, whatever wakes the operator, and is at last', async () => {
    const { fixture } = await overwritten();
    expect(fixture.writes().length).toBeLessThanOrEqual(10);
    await fixture.pass(120_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('tells at once what is new', async () => {
    const { docker, fixture } = await overwritten();
    const workload = docker.workloads.get(key);
    if (workload !== undefined) workload.shows = { compute: { ...running, health: 'unhealthy' } };
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass(100);
    expect(await fixture.message('acme')).not.toMatch(/theirs/);
  });
});

test('a repair by hand, now and then, is undone at once each time', async () => {
  const { docker, fixture, steps } = await withRival(() => undefined);
  for (let n = 1; n <= 5; n += 1) {
    docker.workloads.delete(key);
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass(70_000);
    expect(steps()).toBe(n);
  }
});

describe('two operators of one instance with different defaults', () => {
  /** Each in its own controller on one engine and one apiserver; the engine tells both of what happens on it. */
  async function start() {
    const engine = scriptedProvider('docker');
    const operator = async (defaults: string, apiserver?: ControllerFixture['apiserver']) => {
      const own = { ...engine.enabled, block: { image: defaults }, provider: { ...engine.enabled.provider } };
      let tell: (tenantId: string | undefined) => void = () => undefined;
      own.provider.watch = async (onChange, signal) => {
        tell = onChange;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      };
      const provider: ScriptedProvider = { ...engine, enabled: own };
      const fixture = await startController([provider], apiserver === undefined ? {} : { apiserver });
      return { fixture, tell: () => tell('team-a-acme-9201d5e7') };
    };
    const one = await operator('one');
    const two = await operator('two', one.fixture.apiserver);
    return { engine, one, two };
  }

  test('neither replace each other’s containers, nor write over each other’s status, as fast as they can', async () => {
    const { engine, one, two } = await start();
    await one.fixture.create('acme', {});
    for (let n = 0; n < 400; n += 1) {
      one.tell();
      two.tell();
      await one.fixture.pass(100);
    }
    expect(changesIn(engine.calls).length).toBeLessThanOrEqual(16);
    one.fixture.writes();
    engine.calls.length = 0;
    await one.fixture.pass(600_000);
    expect(changesIn(engine.calls).length).toBeLessThanOrEqual(8);
    expect(one.fixture.writes().length).toBeLessThanOrEqual(60);
    const warnings = [...one.fixture.news(), ...two.fixture.news()].filter((news) =>
      news.startsWith('Warning'),
    );
    expect(warnings).toContain('Warning UpdateFailed');
  });
});
