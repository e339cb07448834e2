import { describe, expect, test } from 'vitest';
import { startController } from './controller-fixture.ts';
import { scriptedProvider } from './scripted-provider.ts';
import { image } from './tenant-fixture.ts';

const spec = { tenantId: 'shared', ...image('a') };

/** The owner of an id, and so many who want it, too. */
async function withClaimants(count: number) {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.create('owner', spec);
  await fixture.pass(1000);
  for (let n = 0; n < count; n += 1) await fixture.create(`refused-${String(n).padStart(3, '0')}`, spec);
  fixture.passes.length = 0;
  const remove = async (name: string): Promise<void> => {
    await fixture.tenants.delete(name, 'team-a');
    await fixture.pass();
  };
  return { docker, fixture, remove };
}

describe('of many Tenants with one id', () => {
  test('those that are refused go without a pass over any other', async () => {
    const { fixture, remove } = await withClaimants(30);
    for (let n = 0; n < 10; n += 1) await remove(`refused-00${n}`);
    expect(fixture.passes.filter((key) => !key.startsWith('team-a/refused-00'))).toEqual([]);
    expect(fixture.passes.length).toBeLessThanOrEqual(20);
  });

  test('only the next owner is woken when the owner goes', async () => {
    const { docker, fixture, remove } = await withClaimants(30);
    await remove('owner');
    expect(new Set(fixture.passes)).toEqual(new Set(['team-a/owner', 'team-a/refused-000']));
    expect(await fixture.conditions('refused-000')).toEqual(['Ready=True/Running']);
    expect(docker.workloads.size).toBe(1);
  });

  test('only the owner is looked at when something happens on the engine', async () => {
    const { docker, fixture } = await withClaimants(30);
    docker.hint('shared');
    await fixture.pass();
    expect(fixture.passes).toEqual(['team-a/owner']);
  });
});
