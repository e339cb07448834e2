import { describe, expect, test } from 'vitest';
import { startController } from './controller-fixture.ts';
import { scriptedProvider } from './scripted-provider.ts';
import { image, running } from './tenant-fixture.ts';

const overdue = 'the rollout has not come to its end within 600 seconds, and goes on: 0 of 1 tasks run';
const starting = { ...running, running: 0, state: 'starting', health: 'unknown' } as const;
const late = { compute: starting, message: 'no place for a task', overdue, lookAgainAfterMs: 10_000 };

const { overdue: _told, ...early } = late;

describe('a rollout that has had its time', () => {
  test('is told by reason, conditions and one Event, and is Ready once it comes up', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    docker.showsAfterStep = early;
    await fixture.patch('acme', { spec: image('b') });
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/Updating', 'Reconciling=True/Updating']);
    const [workload] = docker.workloads.values();
    if (workload !== undefined) workload.shows = late;
    await fixture.pass(10_000);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/UpdateFailed',
      'Reconciling=True/UpdateFailed',
    ]);
    expect(await fixture.message('acme')).toBe(overdue);
    await fixture.pass(60_000);
    expect(fixture.news().filter((one) => one === 'Warning UpdateFailed')).toHaveLength(1);
    if (workload !== undefined) workload.shows = {};
    await fixture.pass(10_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.news().at(-1)).toBe('Normal Updated');
  });

  test('is ProvisionFailed where it is the first, and stays so', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    docker.showsAfterStep = late;
    await fixture.create('acme', image('a'));
    await fixture.pass(60_000);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/ProvisionFailed',
      'Reconciling=True/ProvisionFailed',
    ]);
    expect((await fixture.get('acme')).status?.phase).toBe('Pending');
  });
});
