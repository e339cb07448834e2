import { describe, expect, test } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import { allowsRetain } from '../../src/compute/policy-by-namespace.ts';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { startController } from '../controller/controller-fixture.ts';
import type { FixtureOptions } from '../controller/controller-fixture.ts';
import { changesIn, scriptedProvider } from '../controller/scripted-provider.ts';

/** Whatever a Tenant leaves behind runs on and counts for no quota: by what is it left, where that is not allowed? */
async function start(mayRetain: boolean | undefined, options: FixtureOptions = {}) {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker], { mayRetain: () => mayRetain, ...options });
  const remove = async (): Promise<void> => {
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
  };
  const isGone = async (): Promise<boolean> => (await fixture.tenants.get('acme', 'team-a')) === undefined;
  return { docker, fixture, remove, isGone };
}

const at = (place: string) => ({ computeConfig: { docker: { place } } });
const retained = { deletionPolicy: 'Retain' };
const abandoning = (place: string) => ({
  metadata: { annotations: { 'landlord.dev/abandon': `docker/${place}` } },
});

describe('deletionPolicy Retain, where nothing may be left behind,', () => {
  test('is refused before anything is made, and the message names the rule', async () => {
    const { docker, fixture } = await start(false);
    await fixture.create('acme', retained);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/PolicyDenied',
      'Stalled=True/PolicyDenied',
    ]);
    expect(await fixture.message('acme')).toBe(
      'policy.allow_retain: spec.deletionPolicy is Retain. Set it to Delete (volumePolicy keeps the volumes), or have the ' +
        "operator's admin allow it",
    );
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('that is set on what runs changes nothing, and on deletion what runs goes, in words', async () => {
    const { docker, fixture, remove, isGone } = await start(false);
    await fixture.create('acme');
    await fixture.patch('acme', { spec: retained });
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=False/PolicyDenied');
    expect(docker.workloads.size).toBe(1);
    await remove();
    expect({ gone: await isGone(), left: docker.workloads.size }).toEqual({ gone: true, left: 0 });
    expect(fixture.events.at(-1)).toMatchObject({
      reason: 'Destroyed',
      note: 'nothing of it is left; deletionPolicy is Retain, which policy.allow_retain does not allow here',
    });
  });

  test('is neither taken nor broken while nobody can tell: what runs stays, and so does the Tenant', async () => {
    const asked: { answer: boolean | undefined } = { answer: true };
    const { docker, fixture, remove, isGone } = await start(true, { mayRetain: () => asked.answer });
    await fixture.create('acme', retained);
    asked.answer = undefined;
    await fixture.create('later', retained);
    expect((await fixture.conditions('later'))[0]).toMatch(/AccessDenied$/);
    expect(await fixture.message('later')).toMatch(/the labels of namespace team-a are not known/);
    await remove();
    expect({ gone: await isGone(), left: docker.workloads.size }).toEqual({ gone: false, left: 1 });
    asked.answer = true;
    fixture.controller.onNamespaces(new Set(['team-a']));
    await fixture.pass(60_000);
    expect({ gone: await isGone(), made: docker.workloads.size }).toEqual({ gone: true, made: 2 });
  });

  test('that was accepted under an earlier policy is none any more, and the status says why what runs goes', async () => {
    const earlier = await start(true);
    await earlier.fixture.create('acme', retained);
    await earlier.fixture.stop();
    const { apiserver } = earlier.fixture;
    const later = await start(false, { apiserver });
    later.docker.destroys.push({ outcome: 'in_progress', message: 'stopping', lookAgainAfterMs: 90_000 });
    await later.remove();
    expect(await later.fixture.message('acme')).toBe(
      'removing what is left on docker: stopping; deletionPolicy is Retain, which policy.allow_retain does not allow here',
    );
  });

  test('does not keep what a provider that is switched off has, and the words do not lead there', async () => {
    const earlier = await start(false);
    await earlier.fixture.create('acme');
    await earlier.fixture.stop();
    const fixture = await startController([scriptedProvider('ecs')], {
      apiserver: earlier.fixture.apiserver,
      mayRetain: () => false,
    });
    await fixture.patch('acme', { spec: retained });
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    expect(await fixture.message('acme')).toContain(
      "add compute.docker to the operator's config, or have policy.allow_retain allow it, and set spec.deletionPolicy to Retain",
    );
  });
});

describe('a place that is given up, where nothing may be left behind,', () => {
  test.each([false, true])('is emptied where it can be (allowed otherwise: %s)', async (mayRetain) => {
    const { docker, fixture, remove, isGone } = await start(mayRetain);
    await fixture.create('acme', at('here'));
    await fixture.patch('acme', abandoning('here'));
    await remove();
    expect({ gone: await isGone(), left: docker.workloads.size }).toEqual({
      gone: true,
      left: mayRetain ? 1 : 0,
    });
  });

  test.each([false, true])('is emptied after a move, too (allowed otherwise: %s)', async (mayRetain) => {
    const { docker, fixture } = await start(mayRetain);
    await fixture.create('acme', at('here'));
    await fixture.patch('acme', { ...abandoning('here'), spec: at('there') });
    await fixture.pass(60_000);
    const left = mayRetain ? ['team-a-acme-9201d5e7@docker/here'] : [];
    expect([...docker.workloads.keys()]).toEqual([...left, 'team-a-acme-9201d5e7@docker/there']);
  });

  test.each(['ProviderUnavailable', 'AccessDenied', 'ProviderConflict'] as const)(
    'is left where emptying it fails with %s: it holds up no deletion',
    async (code) => {
      const { docker, fixture, remove, isGone } = await start(false);
      await fixture.create('acme', at('here'));
      docker.failures.set('destroy', new ComputeError(code, 'no way'));
      await remove();
      expect(await isGone()).toBe(false);
      await fixture.patch('acme', abandoning('here'));
      expect(await isGone()).toBe(true);
    },
  );

  test('is not left where the engine only refuses', async () => {
    const { docker, fixture, remove, isGone } = await start(false);
    await fixture.create('acme', at('here'));
    docker.failures.set('destroy', new ComputeError('DestroyFailed', 'in use'));
    await fixture.patch('acme', abandoning('here'));
    await remove();
    expect(await isGone()).toBe(false);
  });
});

test.each([
  ['nothing is said', {}, { 'team-a': true, 'team-b': false, 'team-c': false }],
  ['all may', { allow_retain: true }, { 'team-a': true, 'team-b': true, 'team-c': false }],
  ['nobody may', { allow_retain: false }, { 'team-a': false, 'team-b': false, 'team-c': false }],
  [
    'one namespace may',
    { namespaces: [{ names: ['team-b'], allow_retain: true }] },
    { 'team-a': true, 'team-b': true, 'team-c': true },
  ],
])(
  'where %s, who may leave something behind is what policy.allow_retain makes of it',
  (_what, more, expected) => {
    const namespaces = [{ names: ['team-b'] }, { names: ['team-c'], allow_retain: false }];
    const text = JSON.stringify({ compute: { mock: {} }, policy: { namespaces, ...more } });
    const { policy } = parseConfig(text, 'test.yaml', { providers: providerDefinitions, environment: {} });
    const allowed = Object.keys(expected).map((namespace) => [namespace, allowsRetain(policy, namespace)]);
    expect(Object.fromEntries(allowed)).toEqual(expected);
  },
);
