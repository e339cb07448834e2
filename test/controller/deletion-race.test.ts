import { describe, expect, test } from 'vitest';
import { sleep } from '../../src/async/sleep.ts';
import { startController } from './controller-fixture.ts';
import { scriptedProvider } from './scripted-provider.ts';
import { image } from './tenant-fixture.ts';

/** The same numbers in each run. */
function numbersBelow(limit: number): () => number {
  let seed = 42;
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % limit;
  };
}

describe.each([true, false])(
  'of 200 Tenants that are deleted soon after their creation (durable: %s)',
  (durable) => {
    /** Each request takes a moment, and the watch tells 50 ms late. */
    async function deleteAll() {
      const docker = scriptedProvider('docker', { durable });
      const fixture = await startController([docker], { concurrency: 16 });
      const below = numbersBelow(300);
      fixture.apiserver.watchDelayMs = 50;
      fixture.apiserver.intercept = async () => void (await sleep(below() % 8));
      const all = Array.from({ length: 200 }, async (_, n) => {
        const name = `t${n}`;
        await sleep(n * 5);
        await fixture.tenants.create({ metadata: { name, namespace: 'team-a' }, spec: image('a') });
        await sleep(below());
        await fixture.tenants.delete(name, 'team-a');
        docker.hint(`team-a-${name}`);
      });
      for (let n = 0; n < 400; n += 1) {
        await fixture.pass(10);
        docker.hint();
      }
      await fixture.pass(10_000);
      await Promise.all(all);
      fixture.apiserver.intercept = () => undefined;
      return { docker, fixture };
    }

    test('none is left, on the engine neither', async () => {
      const { docker, fixture } = await deleteAll();
      expect((await fixture.tenants.list()).items).toEqual([]);
      expect([...docker.workloads.keys()]).toEqual([]);
    });

    test('none is logged as an error, or told as gone twice', async () => {
      const { fixture } = await deleteAll();
      expect(fixture.lines.filter(({ level }) => level === 'error')).toEqual([]);
      const gone = fixture.lines.filter(({ fields }) => fields['reason'] === 'Destroyed');
      const tenants = gone.map(({ fields }) => fields['tenant']);
      expect(tenants).toHaveLength(new Set(tenants).size);
    });
  },
);
