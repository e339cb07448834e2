import { describe, expect, test } from 'vitest';
import type { ComputeStatusBlock } from '../../../src/api/status.ts';
import { observe } from '../../../src/controller/observe/observe.ts';
import { passOver } from '../pass-fixture.ts';
import { scriptedProvider } from '../scripted-provider.ts';
import { running, statusOf, tenantWith } from '../tenant-fixture.ts';

type Shown = NonNullable<ComputeStatusBlock['containers']>[number];

const app: Shown = { name: 'app', state: 'running', ready: true };
const job: Shown = {
  name: 'migrate',
  state: 'stopped',
  ready: false,
  message: 'completed',
  completed: 'v2:0',
};
const going: Shown = { name: 'migrate', state: 'stopping', ready: false };

/** The containers after a look that no spec was at hand for: `before` as the status has them, `now` as the engine has. */
async function lookedAt(before: readonly Shown[], now: readonly Shown[]) {
  const docker = scriptedProvider('docker');
  docker.workloads.set('team-a-acme-9201d5e7@docker', {
    specHash: '',
    drift: [],
    shows: { compute: { ...running, containers: [...now] } },
  });
  const compute = { ...running, containers: [...before] };
  const pass = passOver({
    tenant: tenantWith(statusOf('False', 'UpdateFailed', { compute })),
    providers: [docker],
  });
  await observe(pass);
  return pass.draft.compute?.containers;
}

describe('that a job has completed, without its spec at hand', () => {
  test('is remembered once it is gone', async () => {
    expect(await lookedAt([app, job], [app])).toEqual([app, job]);
  });

  test('is remembered while the engine removes it', async () => {
    expect(await lookedAt([app, job], [app, going])).toEqual([app, { ...going, completed: 'v2:0' }]);
  });

  test('is as the engine shows it while it is there', async () => {
    const again: Shown = { name: 'migrate', state: 'running', ready: true };
    expect(await lookedAt([app, job], [app, again])).toEqual([app, again]);
    const later = { ...job, completed: 'v2:1' };
    expect(await lookedAt([app, job], [app, later])).toEqual([app, later]);
  });

  test('is not made up', async () => {
    expect(await lookedAt([app], [app, going])).toEqual([app, going]);
  });
});
