import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { describe, expect, test } from 'vitest';
import type { EnabledProviders } from '../../src/compute/selection/enabled-providers.ts';
import type { Provider } from '../../src/compute/provider.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { drivenDocker, settings } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { recordedChanges } from '../compute/providers/docker/recorded-changes.ts';
import { startController } from './controller-fixture.ts';
import type { FixtureOptions } from './controller-fixture.ts';
import { block, scriptedProvider } from './scripted-provider.ts';

const specSchema = tenantSpecSchema({ docker: dockerTenantBlock, mock: block });

const volume = 'landlord-team-a-acme-9201d5e7_data';
const told = `volume ${volume} was lost, and is made anew without what was in it`;
const lost = 'Warning VolumeLost';

const withVolumes = (volumes: readonly string[], image = 'app:1') => ({
  computeProvider: 'docker',
  computeConfig: { docker: { image, volumes } },
});
const withData = withVolumes(['data:/data']);

/** The real controller over the real provider, on an engine in memory, with a second provider beside it. */
async function operator(engine = memoryEngine(['app:1', 'app:2', 'db:1']), over: FixtureOptions = {}) {
  engine.imageVolumes.set('db:1', ['/var/lib/db']);
  const { block: operators } = settings();
  const provider = drivenDocker(engine).bare as unknown as Provider;
  const away = scriptedProvider('mock');
  const providers: EnabledProviders = new Map([
    ['docker', { definition: dockerDefinition, provider, block: operators }],
    ['mock', away.enabled],
  ]);
  const fixture = await startController([], {
    specSchema,
    providers,
    ...over,
  });
  /** As `docker system prune --volumes` does where nothing of it runs. */
  const prune = (): void => {
    engine.containers.clear();
    engine.volumes.clear();
  };
  return { ...fixture, engine, prune };
}

async function ready(spec: Record<string, unknown> = withData) {
  const one = await operator();
  await one.create('acme', spec);
  await one.pass(5_000);
  expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
  expect(one.news()).not.toContain(lost);
  return one;
}

async function suspendedAndPruned() {
  const one = await ready();
  await one.patch('acme', { spec: { suspend: true } });
  one.prune();
  await one.patch('acme', { metadata: { annotations: { 'landlord.dev/reconcile-requested-at': '1' } } });
  await one.pass(60_000);
  return one;
}

describe('a volume that is gone when it is needed again', () => {
  test('after its Tenant was suspended is told by an Event, and by Ready for an hour', async () => {
    const one = await suspendedAndPruned();
    await one.patch('acme', { spec: { suspend: false } });
    await one.pass(5_000);
    expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(await one.message('acme')).toBe(`1/1 running and healthy; ${told}`);
    expect(one.news().filter((event) => event === lost)).toEqual([lost]);
    await one.pass(3_500_000);
    expect(await one.message('acme')).toContain(told);
    await one.pass(100_000);
    expect(await one.message('acme')).toBe('1/1 running and healthy');
    expect((await one.get('acme')).status?.lost).toBeUndefined();
    expect(one.news()).not.toContain(lost);
  });

  test('is told before anything is made in its place, so that no crash can hide it', async () => {
    const one = await suspendedAndPruned();
    const changes = recordedChanges(one.engine);
    one.apiserver.intercept = ({ user, path }) => {
      if (user === 'operator' && path.endsWith('/status')) throw new Error('the operator dies of it');
    };
    await one.patch('acme', { spec: { suspend: false } });
    await one.pass(5_000);
    expect(changes).toEqual([]);
    await one.stop();
    one.apiserver.intercept = () => undefined;
    const next = await operator(one.engine, { apiserver: one.apiserver });
    await next.pass(5_000);
    expect(await one.message('acme')).toBe(`1/1 running and healthy; ${told}`);
    expect(next.news()).toContain(lost);
  });

  test('stands in the message over a restart of the operator, which does not tell it twice', async () => {
    const one = await suspendedAndPruned();
    await one.patch('acme', { spec: { suspend: false } });
    await one.pass(5_000);
    await one.stop();
    const next = await operator(one.engine, { apiserver: one.apiserver });
    await next.pass(600_000);
    expect(next.writes()).toEqual([]);
    expect(await next.message('acme')).toContain(told);
    await next.pass(3_600_000);
    expect(await next.message('acme')).toBe('1/1 running and healthy');
    expect(next.news()).not.toContain(lost);
  });

  test('is told a second time where the new one is lost, too', async () => {
    const one = await suspendedAndPruned();
    await one.patch('acme', { spec: { suspend: false } });
    await one.pass(5_000);
    one.news();
    await one.patch('acme', { spec: { suspend: true } });
    one.prune();
    await one.pass(60_000);
    await one.patch('acme', { spec: { suspend: false } });
    await one.pass(5_000);
    expect(one.news().filter((event) => event === lost)).toEqual([lost]);
  });

  test('with its container, while nobody was at work, is told', async () => {
    const one = await ready();
    await one.stop();
    one.prune();
    const next = await operator(one.engine, { apiserver: one.apiserver });
    await next.pass(60_000);
    expect(await next.message('acme')).toBe(`1/1 running and healthy; ${told}`);
  });

  test('is told where an image asks for it', async () => {
    const one = await ready(withVolumes([], 'db:1'));
    await one.patch('acme', { spec: { suspend: true } });
    one.prune();
    await one.patch('acme', { spec: { suspend: false } });
    await one.pass(60_000);
    expect(await one.message('acme')).toMatch(
      /; volume landlord-team-a-acme-9201d5e7\.app\.\w+ was lost, and is made anew/,
    );
  });

  test('was kept while the Tenant was elsewhere, and is told when it comes back', async () => {
    const one = await ready();
    await one.patch('acme', { spec: { computeProvider: 'mock' } });
    await one.pass(60_000);
    expect((await one.get('acme')).status).toMatchObject({ retained: [{ resource: `volume ${volume}` }] });
    one.engine.volumes.clear();
    await one.patch('acme', { spec: { computeProvider: 'docker' } });
    await one.pass(60_000);
    expect(await one.message('acme')).toBe(`1/1 running and healthy; ${told}`);
  });
});

test('a volume that an earlier version named is told to be lost by that name', async () => {
  const one = await ready(withVolumes([]));
  const [marks = {}] = [...one.engine.containers.values()].map(({ body }) => body.Labels);
  const former = 'landlord-team-a-acme-9201d5e7-data';
  await one.engine.createVolume({ Name: former, Labels: marks }, new AbortController().signal);
  await one.patch('acme', { spec: withData });
  await one.pass(10_000);
  expect([...one.engine.volumes.keys()]).toEqual([former]);
  await one.patch('acme', { spec: { suspend: true } });
  one.prune();
  await one.patch('acme', { spec: { suspend: false } });
  await one.pass(10_000);
  expect(await one.message('acme')).toContain(`volume ${former} was lost, and is made anew`);
  expect(one.news().filter((event) => event === lost)).toEqual([lost]);
  expect([...one.engine.volumes.keys()]).toEqual([volume]);
});

describe('a volume that is made for the first time is no loss', () => {
  test('where the spec has come to ask for it', async () => {
    const one = await ready(withVolumes([]));
    await one.patch('acme', { spec: withData });
    await one.pass(60_000);
    expect(await one.message('acme')).toBe('1/1 running and healthy');
    expect(one.news()).not.toContain(lost);
  });

  test('where the spec did without it for a while, and it was removed then', async () => {
    const one = await ready();
    await one.patch('acme', { spec: withVolumes([]) });
    await one.pass(60_000);
    one.engine.volumes.clear();
    await one.patch('acme', { spec: withData });
    await one.pass(60_000);
    expect(await one.message('acme')).toBe('1/1 running and healthy');
  });

  test('where it is there still when its container is made anew', async () => {
    const one = await ready();
    one.engine.containers.clear();
    await one.patch('acme', { spec: { ...withVolumes(['data:/data'], 'app:2') } });
    await one.pass(60_000);
    expect(await one.message('acme')).toBe('1/1 running and healthy');
  });
});
