import { describe, expect, test } from 'vitest';
import { startController } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';

describe('a tenant', () => {
  test('is Ready after three writes: finalizer, placement before anything is created, final status', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', { computeConfig: { docker: { image: 'a' } } });
    expect(fixture.writes()).toEqual([
      'PATCH tenants/acme',
      'PATCH tenants/acme/status',
      'PATCH tenants/acme/status',
    ]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(changesIn(docker.calls)).toEqual(['provision team-a-acme@docker']);
    expect(fixture.news()).toEqual(['Normal Provisioned']);
  });
});
