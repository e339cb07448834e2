import { describe, expect, test } from 'vitest';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import type { Provider } from '../../src/compute/provider.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { anyConsent } from '../compute/permits.ts';
import { drivenDocker, settings } from '../compute/providers/docker/docker-fixture.ts';
import { imageId, memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { startController } from './controller-fixture.ts';

const specSchema = tenantSpecSchema({ docker: dockerTenantBlock });
const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
const requested = (value: string) => ({
  metadata: { annotations: { 'landlord.dev/reconcile-requested-at': value } },
});
const env = (value: string) => [{ name: 'A', value }];
const always = { imagePullPolicy: 'Always', containers: [{ name: 'app', image: 'app:1', env: env('1') }] };

/** The real controller over the real provider, on an engine in memory, whose registry has moving tags. */
async function operator() {
  const engine = memoryEngine(['app:1']);
  const registry: { app: string | ComputeError; asked: number } = { app: digestOf('a'), asked: 0 };
  engine.askRegistry = async () => {
    registry.asked += 1;
    if (registry.app instanceof ComputeError) throw registry.app;
    return registry.app;
  };
  const { block } = settings();
  const start = async () =>
    startController([], {
      specSchema,
      providers: new Map([
        [
          'docker',
          { definition: dockerDefinition, provider: drivenDocker(engine).bare as unknown as Provider, block },
        ],
      ]),
    });
  const one = await start();
  const images = async () => (await one.get('acme')).status?.images?.digests.map(({ digest }) => digest);
  const runs = () =>
    [...engine.containers.values()].map(({ body, state }) => `${body.Labels?.['landlord.image']} ${state}`);
  return { ...one, engine, registry, images, runs };
}

const runsWith = (letter: string) => [`app:1@${digestOf(letter)} running`];

async function ready(spec: Record<string, unknown> = always) {
  const one = await operator();
  await one.create('acme', spec);
  await one.pass(10_000);
  expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
  return one;
}

describe('imagePullPolicy Always', () => {
  test('runs what the tag means, and shows it', async () => {
    const one = await ready();
    expect(one.runs()).toEqual(runsWith('a'));
    expect(await one.images()).toEqual([digestOf('a')]);
    const { compute } = (await one.get('acme')).status ?? {};
    expect(compute?.containers?.[0]?.image).toBe(`app:1@${digestOf('a')}`);
    expect(one.registry.asked).toBe(1);
  });

  test('lets a tag move that nobody asks for', async () => {
    const one = await ready();
    one.registry.app = digestOf('b');
    await one.pass(3_600_000);
    await one.patch('acme', { metadata: { labels: { team: 'a' } } });
    await one.pass(10_000);
    expect([one.registry.asked, one.runs()]).toEqual([1, runsWith('a')]);
  });

  test.each([
    ['a requested reconcile', requested('1')],
    ['a new generation', { spec: { containers: [{ ...always.containers[0], env: env('2') }] } }],
  ])('follows a tag that has moved with %s, once', async (_what, patch) => {
    const one = await ready();
    one.registry.app = digestOf('b');
    await one.patch('acme', patch);
    await one.pass(10_000);
    expect([one.runs(), await one.images()]).toEqual([runsWith('b'), [digestOf('b')]]);
    expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
    await one.pass(3_600_000);
    expect(one.registry.asked).toBe(2);
  });

  test('leaves what runs as it is where the tag means the same', async () => {
    const one = await ready();
    const before = [...one.engine.containers.keys()];
    await one.patch('acme', requested('1'));
    await one.pass(10_000);
    expect([one.registry.asked, [...one.engine.containers.keys()]]).toEqual([2, before]);
    expect((await one.get('acme')).status?.lastHandledReconcileAt).toBe('1');
  });

  test('keeps what ran before where the new content does not do, also once that was removed', async () => {
    const one = await ready();
    one.registry.app = digestOf('b');
    const create = one.engine.createContainer.bind(one.engine);
    one.engine.createContainer = async (name, body, signal) => {
      const made = await create(name, body, signal);
      const isNew = body.Labels?.['landlord.image']?.includes(digestOf('b')) === true;
      const container = made === 'name-taken' ? undefined : one.engine.containers.get(made.id);
      if (isNew && container !== undefined) container.health = 'unhealthy';
      return made;
    };
    await one.patch('acme', requested('1'));
    await one.pass(120_000);
    expect(await one.conditions('acme')).toContain('Ready=False/RolledBack');
    expect(one.runs()).toEqual(runsWith('a'));
    const aborted = new AbortController().signal;
    for (const id of one.engine.containers.keys()) await one.engine.removeContainer(id, anyConsent, aborted);
    await one.pass(600_000);
    expect(one.runs()).toEqual(runsWith('a'));
    expect(one.registry.asked).toBe(2);
  });

  test('says why where the registry does not say, and goes on once it does', async () => {
    const one = await operator();
    one.registry.app = new ComputeError('ImageUnavailable', 'no such tag');
    await one.create('acme', always);
    await one.pass(10_000);
    expect(await one.conditions('acme')).toContain('Ready=False/ImageUnavailable');
    expect([await one.message('acme'), one.runs()]).toEqual(['no such tag', []]);
    one.registry.app = digestOf('a');
    await one.pass(300_000);
    expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(one.runs()).toEqual(runsWith('a'));
  });

  test('is over with the policy: then it is the tag that counts', async () => {
    const one = await ready();
    await one.patch('acme', { spec: { imagePullPolicy: 'IfNotPresent' } });
    await one.pass(10_000);
    expect([one.runs(), await one.images()]).toEqual([['app:1 running'], undefined]);
  });
});

test('without it, no registry is asked what a tag means', async () => {
  const { imagePullPolicy: _none, ...spec } = always;
  const one = await ready(spec);
  const { asked } = one.registry;
  await one.patch('acme', requested('1'));
  await one.pass(10_000);
  expect([one.runs(), await one.images(), one.registry.asked]).toEqual([['app:1 running'], undefined, asked]);
});

test('a container that somebody removed, and that comes back of what its tag means by now, is told of', async () => {
  const one = await ready({ containers: [{ name: 'app', image: 'app:1' }] });
  one.engine.images.add('app:2');
  const inspectImage = one.engine.inspectImage.bind(one.engine);
  one.engine.inspectImage = async (reference, aborted) => {
    const found = await inspectImage(reference, aborted);
    return found && reference.endsWith('/app:1') ? { ...found, Id: imageId('app:2') } : found;
  };
  const aborted = new AbortController().signal;
  for (const id of one.engine.containers.keys()) await one.engine.removeContainer(id, anyConsent, aborted);
  await one.pass(60_000);
  expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
  const { compute } = (await one.get('acme')).status ?? {};
  expect(compute?.containers).toMatchObject([{ image: 'app:1', imageId: imageId('app:2') }]);
  const told = one.events.filter(({ reason }) => reason === 'ImageChanged');
  expect(told).toMatchObject([{ type: 'Warning', note: expect.stringContaining(imageId('app:1')) }]);
});
