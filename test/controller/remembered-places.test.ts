import { describe, expect, test } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import { startController } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import { image } from './tenant-fixture.ts';

/**
 * What somebody takes out of a status while the operator runs, on an engine where a look by owner does not find it: the
 * config leads elsewhere by now.
 */
const takenOut: [what: string, status: Record<string, unknown> | null][] = [
  ['wiped', null],
  ['left without its places', { placement: null, previousPlacements: null, retained: null }],
  [
    'written over by something that it may not be',
    { placement: { provider: null }, retained: [{ since: 7 }] },
  ],
  ['written over by a text', { placement: 'docker/here', previousPlacements: 'docker/here' }],
];

/** A Tenant that is to move from `here` to `there`, and waits for consent. */
async function aboutToMove(spec: Record<string, unknown> = {}) {
  const docker = scriptedProvider('docker');
  docker.failures.set('destroy', new ComputeError('ProviderUnavailable', 'no answer'));
  const fixture = await startController([docker]);
  await fixture.create('acme', { ...image('a', { place: 'here' }), approval: 'Always', ...spec });
  await fixture.patch('acme', { spec: image('a', { place: 'there' }) });
  const overwrite = async (status: unknown) => {
    await fixture.tenants.mergePatch('acme', 'team-a', { status }, { subresource: 'status' });
    fixture.apiserver.checksStatus = true;
    await fixture.pass(10_000);
  };
  return { docker, fixture, overwrite };
}

describe.each(takenOut)('the place of a Tenant whose status was %s', (_what, status) => {
  test('is not forgotten: what waits for consent waits on', async () => {
    const { docker, fixture, overwrite } = await aboutToMove();
    docker.calls.length = 0;
    await overwrite(status);
    expect((await fixture.get('acme')).status?.placement).toEqual({ provider: 'docker', place: 'here' });
    expect(await fixture.conditions('acme')).toContain('Ready=False/ApprovalRequired');
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('is emptied before the finalizer goes', async () => {
    const { docker, fixture, overwrite } = await aboutToMove();
    await overwrite(status);
    docker.failures.clear();
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect([...docker.workloads.keys()]).toEqual([]);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
  });

  test('is shown while it is suspended', async () => {
    const { fixture, overwrite } = await aboutToMove();
    await fixture.patch('acme', { spec: { suspend: true } });
    await overwrite(status);
    const shown = (await fixture.get('acme')).status;
    expect(shown?.placement).toEqual({ provider: 'docker', place: 'here' });
    expect(shown?.compute?.state).toBe('running');
  });

  test('is emptied, too, where it was left and could not be emptied yet', async () => {
    const { docker, fixture, overwrite } = await aboutToMove({ approval: 'Never' });
    await fixture.pass(10_000);
    expect([...docker.workloads.keys()].toSorted()).toEqual([
      'team-a-acme-9201d5e7@docker/here',
      'team-a-acme-9201d5e7@docker/there',
    ]);
    await overwrite(status);
    docker.failures.clear();
    await fixture.pass(300_000);
    expect([...docker.workloads.keys()]).toEqual(['team-a-acme-9201d5e7@docker/there']);
    expect((await fixture.get('acme')).status?.previousPlacements).toBeUndefined();
  });
});

test('a Tenant is not given the place of one of that name before it', async () => {
  const { docker, fixture } = await aboutToMove({ deletionPolicy: 'Retain' });
  docker.failures.clear();
  await fixture.tenants.delete('acme', 'team-a');
  await fixture.pass();
  await fixture.create('acme', image('a', { place: 'there' }));
  await fixture.pass(10_000);
  const { status } = await fixture.get('acme');
  expect(status?.placement).toEqual({ provider: 'docker', place: 'there' });
  expect([...docker.workloads.keys()]).toContain('team-a-acme-9201d5e7@docker/here');
});
