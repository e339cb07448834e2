import { describe, expect, test } from 'vitest';
import { ComputeError } from '../../../src/compute/errors.ts';
import { note } from '../../../src/controller/pass.ts';
import { deleteTenant, destroyPlacements } from '../../../src/controller/steps/delete-tenant.ts';
import { anyPermit } from '../../compute/permits.ts';
import { passOver } from '../pass-fixture.ts';
import { changesIn, scriptedProvider } from '../scripted-provider.ts';
import type { ScriptedProvider } from '../scripted-provider.ts';
import { tenantWith } from '../tenant-fixture.ts';

const nothingLeft = { type: 'Normal', reason: 'Destroyed', action: 'Destroy', note: 'nothing of it is left' };
const here = { provider: 'docker', place: 'here' };
const there = { provider: 'ecs', place: 'there' };

function two(): [docker: ScriptedProvider, ecs: ScriptedProvider] {
  return [scriptedProvider('docker'), scriptedProvider('ecs')];
}

function passOf(
  providers: readonly ScriptedProvider[],
  places: { readonly placement?: typeof here; readonly previousPlacements?: readonly (typeof here)[] } = {},
  spec: unknown = {},
) {
  return passOver({ tenant: tenantWith(undefined, {}, spec), draft: places, providers });
}

describe('deletion', () => {
  test('empties the place and each one that was left, and says so', async () => {
    const [docker, ecs] = two();
    const outcome = await deleteTenant(
      passOf([docker, ecs], { placement: here, previousPlacements: [there] }),
    );
    expect(outcome).toEqual({ destroyed: nothingLeft });
    expect(changesIn(docker.calls)).toEqual(['destroy team-a-acme-9201d5e7@docker/here']);
    expect(changesIn(ecs.calls)).toEqual(['destroy team-a-acme-9201d5e7@ecs/there']);
  });

  test('goes by the id that the status names', async () => {
    const [docker] = two();
    const pass = passOf([docker], { placement: here });
    note(pass, { tenantId: 'acme-1' });
    await deleteTenant(pass);
    expect(changesIn(docker.calls)).toEqual(['destroy acme-1@docker/here']);
  });

  test('waits while something is on its way out, and says what', async () => {
    const [docker, ecs] = two();
    docker.destroys.push({ outcome: 'in_progress', message: 'stopping', lookAgainAfterMs: 900 });
    ecs.destroys.push({ outcome: 'in_progress', message: 'draining', lookAgainAfterMs: 400 });
    const pass = passOf([docker, ecs], { placement: here, previousPlacements: [there] });
    expect(await deleteTenant(pass)).toEqual({
      verdict: { kind: 'deleting', message: 'removing what is left on docker, ecs: stopping; draining' },
      lookAgainAfterMs: 400,
    });
  });

  test('under Retain leaves everything as it is, even with its provider away', async () => {
    const [docker] = two();
    const pass = passOf(
      [docker],
      { placement: here, previousPlacements: [there] },
      { deletionPolicy: 'Retain' },
    );
    expect(await deleteTenant(pass)).toEqual({
      destroyed: {
        type: 'Normal',
        reason: 'Deleting',
        action: 'Retain',
        note: 'deletionPolicy is Retain: the workload stays as it is',
      },
    });
    expect(docker.calls).toEqual([]);
  });

  test('needs no spec at all', async () => {
    const [docker] = two();
    const tenant = { ...tenantWith(), spec: undefined };
    await deleteTenant(passOver({ tenant, draft: { placement: here }, providers: [docker] }));
    expect(changesIn(docker.calls)).toEqual(['destroy team-a-acme-9201d5e7@docker/here']);
  });

  test('waits for a provider that is no longer enabled, and says what to do', async () => {
    const [docker] = two();
    const { verdict } = await deleteTenant(passOf([docker], { placement: there }));
    expect(verdict).toMatchObject({ kind: 'deleting', error: { code: 'ProviderNotFound' } });
    expect(verdict).toMatchObject({
      message:
        `can't be deleted yet: provider "ecs" is not enabled on this operator, and what it made is still there: ` +
        "add compute.ecs to the operator's config, or set spec.deletionPolicy to Retain to leave it",
    });
  });

  test('waits for an engine that refuses, and says why', async () => {
    const [docker] = two();
    const error = new ComputeError('DestroyFailed', 'a foreign container uses the network');
    docker.failures.set('destroy', error);
    expect(await deleteTenant(passOf([docker], { placement: here }))).toEqual({
      verdict: {
        kind: 'deleting',
        message: "can't be deleted yet: a foreign container uses the network",
        error,
      },
    });
  });

  test('lets a defect of a provider through', async () => {
    const [docker] = two();
    docker.failures.set('destroy', new TypeError('x is not a function'));
    await expect(deleteTenant(passOf([docker], { placement: here }))).rejects.toThrow(TypeError);
  });

  test('without a placement goes to whatever an engine has of it, and to the providers that forget', async () => {
    const [docker, ecs] = two();
    const mock = scriptedProvider('mock', { durable: false });
    const resource = { resource: 'container x', isData: false };
    docker.owned = [
      { tenantId: 'team-a-acme-9201d5e7', namespace: 'team-a', name: 'acme', placement: here, ...resource },
      { tenantId: 'team-a-acme-9201d5e7', namespace: 'team-a', name: 'acme', placement: here, ...resource },
      { tenantId: 'team-a-other', namespace: 'team-a', name: 'other', placement: there, ...resource },
    ];
    expect(await deleteTenant(passOf([docker, ecs, mock]))).toEqual({ destroyed: nothingLeft });
    expect(changesIn(docker.calls)).toEqual(['destroy team-a-acme-9201d5e7@docker/here']);
    expect(changesIn(ecs.calls)).toEqual([]);
    expect(changesIn(mock.calls)).toEqual(['destroy team-a-acme-9201d5e7@mock']);
  });

  test('without a placement waits while an engine can’t tell whether it has something', async () => {
    const [docker] = two();
    const error = new ComputeError('ProviderUnavailable', 'no answer');
    docker.failures.set('list', error);
    expect(await deleteTenant(passOf([docker]))).toMatchObject({
      verdict: { kind: 'deleting', message: "can't be deleted yet: no answer", error },
    });
  });

  test('empties every place it can while another one refuses, and can be told to give that one up', async () => {
    const [docker, ecs] = two();
    docker.failures.set('destroy', new ComputeError('ProviderUnavailable', 'no answer'));
    const places = { placement: here, previousPlacements: [there] };
    const { verdict } = await deleteTenant(passOf([docker, ecs], places));
    expect(changesIn(ecs.calls)).toEqual(['destroy team-a-acme-9201d5e7@ecs/there']);
    expect(verdict).toMatchObject({
      kind: 'deleting',
      message:
        "can't be deleted yet: no answer. If that place is gone for good, give it up: " +
        'kubectl annotate tenant acme -n team-a landlord.dev/abandon=docker/here --overwrite',
    });
    const annotations = { 'landlord.dev/abandon': 'docker/here' };
    const tenant = tenantWith(undefined, { annotations }, {});
    const pass = passOver({ tenant, draft: places, providers: [docker, ecs] });
    expect((await deleteTenant(pass)).verdict).toBeUndefined();
  });

  test('can be told to leave what nobody can say any more whose it is', async () => {
    const [docker] = two();
    docker.failures.set('destroy', new ComputeError('ProviderConflict', 'it has lost its marks'));
    const { verdict } = await deleteTenant(passOf([docker], { placement: here }));
    expect(verdict).toMatchObject({
      message: expect.stringContaining(
        'it has lost its marks. If it is to stay, give it up: kubectl annotate',
      ),
    });
  });

  test('keeps volumes and says so, unless volumePolicy is Delete: then those of places that were left go, too', async () => {
    const [docker, ecs] = two();
    docker.destroys.push({ outcome: 'gone', message: 'kept', retained: ['volume data'] });
    const { destroyed } = await deleteTenant(passOf([docker, ecs], { placement: here }));
    expect(destroyed?.note).toBe(
      'nothing of it runs any more; kept, as volumePolicy says: volume data on docker',
    );
    const pass = passOf([docker, ecs], { placement: here }, { volumePolicy: 'Delete' });
    const since = '2026-01-01T00:00:00Z';
    note(pass, { retained: [{ provider: 'ecs', resource: 'volume old', since, placement: there }] });
    expect(await deleteTenant(pass)).toEqual({ destroyed: nothingLeft });
    expect(changesIn(ecs.calls)).toEqual(['destroy team-a-acme-9201d5e7@ecs/there']);
  });
});

describe('emptying old places', () => {
  test('goes on to the next one where one refuses, and names all that still hold something', async () => {
    const [docker, ecs] = two();
    const failure = new ComputeError('ProviderUnavailable', 'no answer');
    docker.failures.set('destroy', failure);
    ecs.destroys.push({ outcome: 'in_progress', message: 'draining' });
    const gone = { provider: 'docker', place: 'gone' };
    const pass = passOf([docker, ecs]);
    expect(await destroyPlacements(pass, [here, there, gone], anyPermit)).toEqual({
      left: [here, there, gone],
      why: expect.stringMatching(/^no answer.*; draining; no answer/) as string,
      failure,
      retained: [],
      givenUp: [],
      lookAgainAfterMs: undefined,
    });
  });

  test('is done with those that were seen empty', async () => {
    const [docker, ecs] = two();
    docker.destroys.push({ outcome: 'in_progress', message: 'stopping', lookAgainAfterMs: 900 });
    expect(await destroyPlacements(passOf([docker, ecs]), [here, there], anyPermit)).toMatchObject({
      left: [here],
      lookAgainAfterMs: 900,
    });
  });

  test('lets a defect of a provider through', async () => {
    const [docker, ecs] = two();
    docker.failures.set('destroy', new TypeError('x is not a function'));
    await expect(destroyPlacements(passOf([docker, ecs]), [here], anyPermit)).rejects.toThrow(TypeError);
  });
});
