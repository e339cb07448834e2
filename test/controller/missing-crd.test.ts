import { describe, expect, test } from 'vitest';
import { crdMissing } from '../../src/controller/followed/missing-crd.ts';
import { startController } from './controller-fixture.ts';
import type { ControllerFixture } from './controller-fixture.ts';
import { createMemoryApiserver } from './memory-apiserver.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import { image, key } from './tenant-fixture.ts';

const minute = 60_000;

/** What its log says of the CRD. */
function said({ lines }: ControllerFixture, level: string): string[] {
  return lines
    .filter((line) => line.level === level)
    .map(({ message }) => message)
    .filter((message) => message.includes('CRD'));
}

function errors({ lines }: ControllerFixture): string[] {
  return lines.filter(({ level }) => level === 'error').map(({ message }) => message);
}

/** What the operator asks for Tenants in this time. */
async function asked(fixture: ControllerFixture, ms: number): Promise<string[]> {
  const { requests } = fixture.apiserver;
  const before = requests.length;
  await fixture.pass(ms);
  return requests
    .slice(before)
    .filter(({ user, path }) => user === 'operator' && path.includes('/tenants'))
    .map(({ method }) => method);
}

describe('without the CRD', () => {
  test('at the start, the operator says so once, asks every few seconds, and begins when it is there', async () => {
    const apiserver = createMemoryApiserver();
    apiserver.removeCrd();
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker], { apiserver });
    await fixture.pass(minute);
    const requests = await asked(fixture, 10 * minute);
    expect(new Set(requests)).toEqual(new Set(['WATCH']));
    // 2.5 s apart where chance has it shortest.
    expect(requests.length).toBeLessThanOrEqual(240);
    expect(said(fixture, 'warn')).toEqual([`${crdMissing}; until then, what runs is left as it is`]);
    expect(fixture.controller.tenants.hasSynced()).toBe(false);
    apiserver.installCrd();
    await fixture.pass(5_000);
    expect(fixture.controller.tenants.refusals()).toEqual([]);
    await fixture.create('acme', image('a'));
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(said(fixture, 'warn')).toHaveLength(1);
    expect(said(fixture, 'info')).toEqual([
      'the CRD tenants.landlord.dev is installed: Tenants are followed',
    ]);
  });

  test('of several namespaces, it is said once for all of them', async () => {
    const apiserver = createMemoryApiserver();
    apiserver.removeCrd();
    const namespaces = ['team-a', 'team-b', 'team-c'];
    const fixture = await startController([scriptedProvider('docker')], { apiserver, namespaces });
    await fixture.pass(minute);
    apiserver.installCrd();
    await fixture.pass(minute);
    apiserver.removeCrd();
    await fixture.pass(minute);
    expect(said(fixture, 'warn')).toHaveLength(2);
    expect(said(fixture, 'info')).toHaveLength(1);
  });

  test('the operator stops as ever', async () => {
    const apiserver = createMemoryApiserver();
    apiserver.removeCrd();
    const fixture = await startController([scriptedProvider('docker')], { apiserver });
    await fixture.pass(minute);
    await fixture.stop();
    expect(await asked(fixture, minute)).toEqual([]);
  });
});

describe('a CRD that goes while Tenants run, with all of them and without a word', () => {
  async function withRunning() {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.pass(minute);
    docker.calls.length = 0;
    fixture.news();
    fixture.apiserver.removeCrd();
    await fixture.pass(10 * minute);
    return { docker, fixture };
  }

  test('takes nothing that runs with it, and is told of by the watch alone', async () => {
    const { docker, fixture } = await withRunning();
    docker.hint();
    const requests = await asked(fixture, 10 * minute);
    expect(requests.filter((method) => method !== 'WATCH').length).toBeLessThanOrEqual(10);
    expect(changesIn(docker.calls)).toEqual([]);
    expect([...docker.workloads.keys()]).toEqual([key]);
    expect(said(fixture, 'warn')).toHaveLength(1);
    expect(errors(fixture)).toEqual([]);
    expect(fixture.news()).toEqual([]);
  });

  test('and is made anew: that there is no Tenant then ends nothing, and the one that is applied again has it back', async () => {
    const { docker, fixture } = await withRunning();
    fixture.apiserver.installCrd();
    await fixture.pass(10 * minute);
    expect(fixture.controller.tenants.size).toBe(0);
    expect(changesIn(docker.calls)).toEqual([]);
    expect([...docker.workloads.keys()]).toEqual([key]);
    // It went without the finalizer's being taken off by the operator: what is left is told of, now that it is known.
    expect(fixture.news()).toEqual(['Warning Orphaned']);
    await fixture.create('acme', image('a'));
    await fixture.pass(minute);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('and a Tenant that was on its way out by then is emptied all the same', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    docker.destroys.push({ outcome: 'in_progress', message: 'draining' });
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    fixture.apiserver.removeCrd();
    await fixture.pass(10 * minute);
    expect(errors(fixture)).toEqual([]);
    expect([...docker.workloads.keys()]).toEqual([]);
  });
});
