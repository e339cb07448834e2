import { expect, test } from 'vitest';
import { apiVersion, kind } from '../../src/api/names.ts';
import { namespace, startController } from './controller-fixture.ts';
import type { ControllerFixture } from './controller-fixture.ts';
import { scriptedProvider } from './scripted-provider.ts';
import type { ScriptedProvider } from './scripted-provider.ts';

/** One bad thing, and what it does to all others. */

const spec = (place: string) => ({ computeProvider: 'ecs', computeConfig: { ecs: { place } } });

/** An engine of several accounts, one of which never answers. */
function engineWithHungAccount(): ScriptedProvider {
  const ecs = scriptedProvider('ecs');
  const { provider } = ecs.enabled;
  const getStatus = provider.getStatus.bind(provider);
  provider.domainOf = ({ config, placement }) => (config ?? placement)?.['place'] as string;
  provider.getStatus = async (at, against, how) =>
    at.placement['place'] === 'hung' ? new Promise(() => undefined) : getStatus(at, against, how);
  return ecs;
}

async function createMany(fixture: ControllerFixture, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const metadata = { name: `hung-${index}`, namespace };
    await fixture.tenants.create({ apiVersion, kind, metadata, spec: spec('hung') });
  }
  await fixture.pass();
}

test('600 tenants of an account that hangs keep none of another account waiting', async () => {
  const fixture = await startController([engineWithHungAccount()]);
  await createMany(fixture, 600);
  await fixture.create('well', spec('well'));
  expect(await fixture.conditions('well')).toEqual(['Ready=True/Running']);
});
