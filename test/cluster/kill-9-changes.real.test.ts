import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  apiCall,
  docker,
  engineCall,
  expectAllWholeAndGone,
  expectWhole,
  startKillBench,
  withVolume,
} from './kill-bench.ts';
import type { KillBench, Strike, When } from './kill-bench.ts';

describe('a kill -9 of the operator while it changes or deletes a tenant, with 20 tenants present', () => {
  const removal = engineCall(/^DELETE \S*\/containers\//);
  const removesFinalizer = (body: string): boolean => body.includes('"finalizers":[]');

  const deletions: readonly (readonly [When, string, Strike])[] = [
    ['before', 'a stop', engineCall(/^POST \S*\/containers\/\w+\/stop/)],
    ['before', 'a removal', removal],
    ['after', 'a removal', removal],
    ['before', "a network's removal", engineCall(/^DELETE \S*\/networks\//)],
    ['after', "a network's removal", engineCall(/^DELETE \S*\/networks\//)],
    ['after', "a volume's removal", engineCall(/^DELETE \S*\/volumes\//)],
    ['after', "the finalizer's removal", apiCall(/^PATCH \S*\/tenants\//, removesFinalizer)],
  ];
  const goerOf = (when: When, what: string): string => `goer-${when}-${what.replaceAll(/\W+/g, '-')}`;

  let bench: KillBench;
  beforeAll(async () => {
    bench = await startKillBench(
      'kill-old',
      // There from the start, so that each death of a deletion finds one Ready.
      (started) =>
        Promise.all(
          deletions.map(([when, what]) =>
            started.create(goerOf(when, what), { ...withVolume, ...started.pair() }),
          ),
        ),
    );
  });
  afterEach(({ task }) => bench.disarm(task.result?.state === 'fail'));
  afterAll(() => bench?.close());

  test.each<[When, string, Strike]>([
    ['after', 'a create', engineCall(/^POST \S*\/containers\/create/)],
    ['after', 'a stop', engineCall(/^POST \S*\/containers\/\w+\/stop/)],
    ['before', 'a rename', engineCall(/^POST \S*\/containers\/\w+\/rename/)],
    ['after', 'a rename', engineCall(/^POST \S*\/containers\/\w+\/rename/)],
    ['before', 'a removal', removal],
    ['after', 'a removal', removal],
  ])('%s %s of a replacement leaves it whole', async (when, what, at) => {
    const name = 'resident-5';
    const before = await bench.containerIds();
    const image = bench.imageOf(bench.fleet.get(name)?.[0]?.image === bench.imageOf('1') ? '2' : '1');
    const rolled = `${what} ${when}`;
    bench.fleet.set(name, [bench.container({ image, env: ['INDEX=5', `ROLLED=${rolled}`] })]);
    await bench.strike(at, when, () =>
      bench.ns.patch(name, { spec: docker({ image, env: { ROLLED: rolled } }) }),
    );
    await expectWhole(bench, name, before);
  });

  test.each<[When, number]>([
    ['before', 64],
    ['after', 96],
  ])('%s a live update leaves it whole, in the same container', async (when, mebibytes) => {
    const name = 'resident-6';
    const before = await bench.containerIds();
    bench.fleet.set(name, [bench.container({ env: ['INDEX=6'], memory: mebibytes * 1024 * 1024 })]);
    const update = engineCall(/^POST \S*\/containers\/\w+\/update/);
    await bench.strike(update, when, () =>
      bench.ns.patch(name, { spec: { resources: { memory: `${mebibytes}Mi` } } }),
    );
    await expectWhole(bench, name, before);
    expect(await bench.containerIds()).toEqual(before);
  });

  test.each(deletions)('%s %s of a deletion leaves nothing', async (when, what, at) => {
    const name = goerOf(when, what);
    const before = await bench.containerIds();
    bench.fleet.delete(name);
    await bench.strike(at, when, () => bench.ns.delete(name));
    await bench.ns.untilGone(name);
    expect(await bench.view.leftovers(bench.ns.name, name)).toEqual([]);
    await expectWhole(bench, name, before);
  });

  test('after all of it every tenant runs as its spec says, and goes without a trace', () =>
    expectAllWholeAndGone(bench));
});
