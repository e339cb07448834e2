import { expect, test } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import { startController } from './controller-fixture.ts';
import { scriptedProvider } from './scripted-provider.ts';

const hourMs = 3_600_000;
const on = (computeProvider: string) => ({ computeProvider });

/** A tenant that was to move to where nothing is allowed, and was sent back; `looks`: how often its place is looked at. */
async function sentBack(looks: number | undefined) {
  const [docker, ecs] = [scriptedProvider('docker'), scriptedProvider('ecs')];
  if (looks !== undefined) docker.showsAfterStep = { lookAgainAfterMs: looks };
  const ns = await startController([docker, ecs]);
  await ns.create('acme', on('docker'));
  const refused = new ComputeError('AccessDenied', 'not authorized');
  for (const operation of ['provision', 'destroy', 'getStatus'] as const)
    ecs.failures.set(operation, refused);
  await ns.patch('acme', { spec: on('ecs') });
  await ns.pass(10_000);
  await ns.patch('acme', { spec: on('docker') });
  await ns.pass(60_000);
  const removals = () => ecs.calls.filter(({ operation }) => operation === 'destroy').length;
  return { ns, ecs, removals };
}

test.each([
  ['at rest', undefined],
  ['looked at every ten seconds', 10_000],
])(
  'a place that refuses to be emptied is asked ever more seldom, where the tenant is %s',
  async (_how, looks) => {
    const { ns, ecs, removals } = await sentBack(looks);
    expect((await ns.conditions('acme'))[0]).toBe('Ready=True/Running');
    const before = removals();
    ecs.calls.length = 0;
    await ns.pass(hourMs);
    // Twelve an hour at the most that a back-off comes to, and a few on the way to that.
    expect(removals()).toBeGreaterThan(6);
    expect(removals()).toBeLessThan(24);
    expect(before).toBeGreaterThan(0);
    expect((await ns.conditions('acme'))[0]).toBe('Ready=True/Running');
    expect(await ns.get('acme').then(({ status }) => status?.previousPlacements)).toEqual([
      { provider: 'ecs' },
    ]);
  },
);

test('whoever asks for it has the place asked at once, and it is empty as soon as it may be', async () => {
  const { ns, ecs, removals } = await sentBack(10_000);
  await ns.pass(hourMs);
  const before = removals();
  ecs.failures.clear();
  await ns.patch('acme', { metadata: { annotations: { 'landlord.dev/reconcile-requested-at': 'now' } } });
  await ns.pass(1_000);
  expect(removals()).toBe(before + 1);
  expect((await ns.get('acme')).status?.previousPlacements).toBeUndefined();
});

test('a place that is out of reach is tried ever more slowly, whatever endpoints the new one has', async () => {
  const docker = scriptedProvider('docker');
  const ns = await startController([docker]);
  await ns.create('acme', { ...on('docker'), computeConfig: { docker: { image: 'a', place: 'old' } } });
  docker.workloads.set('team-a-acme-9201d5e7@docker/new', {
    specHash: 'image=a',
    drift: [],
    shows: {},
    endpoints: [{ name: 'http', type: 'tcp', address: '127.0.0.1', port: 2 }],
  });
  docker.failures.set('destroy', new ComputeError('ProviderUnavailable', 'no answer'));
  await ns.patch('acme', { spec: { computeConfig: { docker: { place: 'new' } } } });
  await ns.pass(10_000);
  ns.writes();
  await ns.pass(600_000);
  expect(ns.writes()).toEqual([]);
  expect((await ns.get('acme')).status?.previousPlacements).toEqual([{ provider: 'docker', place: 'old' }]);
  docker.failures.clear();
  await ns.pass(hourMs);
  expect((await ns.get('acme')).status?.previousPlacements).toBeUndefined();
});
