import { describe, expect, test } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import type { Observation } from '../../src/compute/provider.ts';
import { startController } from '../controller/controller-fixture.ts';
import type { ControllerFixture } from '../controller/controller-fixture.ts';
import { changesIn, scriptedProvider } from '../controller/scripted-provider.ts';
import type { ScriptedProvider } from '../controller/scripted-provider.ts';
import { image, key } from '../controller/tenant-fixture.ts';

/** A Tenant that moves on and on, and is never Ready, does not leave more and more behind that runs and costs. */

type Shows = Partial<Observation>;
const running = { state: 'running', health: 'healthy', running: 1, desired: 1 } as const;
const failing: Shows = { compute: { state: 'failed', health: 'unhealthy', running: 0, desired: 1 } };
const limping: Shows = { compute: { state: 'running', health: 'unhealthy', running: 1, desired: 1 } };
const well: Shows = { compute: running };

const moveTo = (fixture: ControllerFixture, place: string) =>
  fixture.patch('acme', { spec: image('a', { place }) });
const placesOf = async (fixture: ControllerFixture) => {
  const { placement, previousPlacements = [] } = (await fixture.get('acme')).status ?? {};
  return [placement, ...previousPlacements].map((place) => place?.['place']);
};

/** A Tenant that has been at `one` to `four`, and is Ready at none of them that comes after `one`. */
async function movedOnAndOn(shows: Shows): Promise<{ docker: ScriptedProvider; fixture: ControllerFixture }> {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.create('acme', image('a', { place: 'one' }));
  docker.showsAfterStep = shows;
  for (const place of ['two', 'three', 'four']) await moveTo(fixture, place);
  expect(await placesOf(fixture)).toEqual(['four', 'one', 'two', 'three']);
  docker.calls.length = 0;
  return { docker, fixture };
}

const at = (docker: ScriptedProvider, place: string) => {
  const workload = docker.workloads.get(`${key}/${place}`);
  if (workload === undefined) throw new Error(`nothing is at ${place}`);
  return workload;
};

describe('a further move', () => {
  test('waits where each of the earlier places may be needed, and starts nothing', async () => {
    const { docker, fixture } = await movedOnAndOn(limping);
    at(docker, 'one').shows = limping;
    await moveTo(fixture, 'five');
    expect(await placesOf(fixture)).toEqual(['four', 'one', 'two', 'three']);
    expect(changesIn(docker.calls)).toEqual([]);
    expect(await fixture.conditions('acme')).toContain('Ready=False/UpdateFailed');
    expect(await fixture.message('acme')).toBe(
      'moving to docker/five waits: it would leave 4 places behind, and at most 3 (status.previousPlacements) wait to be ' +
        'emptied. One is emptied once a later one is healthy, or nothing runs there; or go back to one of them',
    );
  });

  test('waits ever longer between two looks', async () => {
    const { docker, fixture } = await movedOnAndOn(limping);
    at(docker, 'one').shows = limping;
    await moveTo(fixture, 'five');
    fixture.passes.length = 0;
    await fixture.pass(3_600_000);
    expect(fixture.passes.length).toBeLessThan(40);
  });

  test('goes on once the place that it leaves is well: what came before that goes first', async () => {
    const { docker, fixture } = await movedOnAndOn(limping);
    at(docker, 'one').shows = limping;
    await moveTo(fixture, 'five');
    at(docker, 'four').shows = well;
    docker.showsAfterStep = well;
    await fixture.pass(600_000);
    expect(changesIn(docker.calls)).toEqual([
      `destroy ${key}/one`,
      `destroy ${key}/two`,
      `destroy ${key}/three`,
      `provision ${key}/five`,
      `destroy ${key}/four`,
    ]);
    expect(await placesOf(fixture)).toEqual(['five']);
    expect(await fixture.conditions('acme')).toContain('Ready=True/Running');
  });

  test('goes on at the cost of what never served, and what serves stays', async () => {
    const { docker, fixture } = await movedOnAndOn(limping);
    await moveTo(fixture, 'five');
    expect(changesIn(docker.calls)).toEqual([
      `destroy ${key}/two`,
      `destroy ${key}/three`,
      `provision ${key}/five`,
    ]);
    expect(await placesOf(fixture)).toEqual(['five', 'one', 'four']);
  });

  test('goes on at the cost of places where nothing runs, where none is well', async () => {
    const { docker, fixture } = await movedOnAndOn(failing);
    at(docker, 'one').shows = limping;
    await moveTo(fixture, 'five');
    expect(await placesOf(fixture)).toEqual(['five', 'one', 'four']);
    expect(docker.workloads.has(`${key}/one`)).toBe(true);
  });

  test('waits for a place that takes its time, and says so', async () => {
    const { docker, fixture } = await movedOnAndOn(failing);
    docker.destroys.push(
      { outcome: 'in_progress', message: 'draining' },
      { outcome: 'in_progress', message: 'draining' },
    );
    await moveTo(fixture, 'five');
    expect(await placesOf(fixture)).toEqual(['four', 'one', 'two', 'three']);
    expect(await fixture.conditions('acme')).toContain('Ready=False/Updating');
    expect(await fixture.message('acme')).toMatch(
      /^moving to docker\/five waits: .*removing what is left on docker: draining/,
    );
    await fixture.pass(60_000);
    expect(await placesOf(fixture)).toEqual(['five', 'one', 'four']);
  });

  test('waits for a place that refuses, with its words', async () => {
    const { docker, fixture } = await movedOnAndOn(failing);
    docker.failures.set('destroy', new ComputeError('ProviderUnavailable', 'no answer'));
    await moveTo(fixture, 'five');
    expect(await placesOf(fixture)).toEqual(['four', 'one', 'two', 'three']);
    expect(await fixture.message('acme')).toMatch(/^moving to docker\/five waits: .*no answer/);
    expect(await fixture.conditions('acme')).toContain('Ready=False/UpdateFailed');
  });

  test('does not take what can’t be looked at for needless', async () => {
    const { docker, fixture } = await movedOnAndOn(failing);
    docker.failures.set('getStatus', new ComputeError('ProviderUnavailable', 'no answer'));
    await moveTo(fixture, 'five');
    expect(changesIn(docker.calls)).toEqual([]);
    expect(await placesOf(fixture)).toEqual(['four', 'one', 'two', 'three']);
  });
});

test('back to one of the places needs no other to go', async () => {
  const { docker, fixture } = await movedOnAndOn(limping);
  at(docker, 'one').shows = limping;
  await moveTo(fixture, 'two');
  expect(await placesOf(fixture)).toEqual(['two', 'one', 'three', 'four']);
});

test('ten moves in a row leave no more than three places behind', async () => {
  const { docker, fixture } = await movedOnAndOn(failing);
  for (const place of ['five', 'six', 'seven', 'eight', 'nine', 'ten']) {
    await moveTo(fixture, place);
    await fixture.pass(1000);
    expect((await placesOf(fixture)).length).toBeLessThanOrEqual(4);
    expect(docker.workloads.size).toBeLessThanOrEqual(4);
  }
  expect(await placesOf(fixture)).toContain('one');
});
