import { expect, test } from 'vitest';
import { apiVersion, kind } from '../../src/api/names.ts';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import type { Provider } from '../../src/compute/provider.ts';
import { drivenDocker, settings } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { sleep } from '../../src/async/sleep.ts';
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

/** A controller over an engine whose containers take all of their grace to end. */
async function startDocker(engine: MemoryEngine): Promise<ControllerFixture> {
  const stopContainer = engine.stopContainer.bind(engine);
  engine.stopContainer = async (id, graceSeconds, consent, signal) => {
    await sleep(graceSeconds * 1_000);
    await stopContainer(id, graceSeconds, consent, signal);
  };
  const enabled = {
    definition: dockerDefinition,
    provider: drivenDocker(engine).bare as unknown as Provider,
    block: settings().block,
  };
  return startController([], {
    specSchema: tenantSpecSchema({ docker: dockerTenantBlock }),
    providers: new Map([['docker', enabled]]),
    concurrency: 8,
  });
}

test('deletions whose containers take their time to end keep no killed container waiting, nor a change', async () => {
  const engine = memoryEngine(['app:1', 'app:2']);
  const fixture = await startDocker(engine);
  const app = (image: string) => ({ computeConfig: { docker: { image } } });
  const doomed = Array.from({ length: 80 }, (_, index) => `doomed-${index}`);
  for (const name of [...doomed, 'killed', 'changed'])
    await fixture.tenants.create({ apiVersion, kind, metadata: { name, namespace }, spec: app('app:1') });
  await fixture.pass(30_000);
  expect(await fixture.conditions('killed')).toEqual(['Ready=True/Running']);
  for (const name of doomed) await fixture.tenants.delete(name, namespace);
  await fixture.patch('changed', { spec: app('app:2') });
  const killed = [...engine.containers.values()].find(({ name }) => name.includes('-killed-'));
  if (killed === undefined) throw new Error('nothing runs');
  Object.assign(killed, { state: 'exited', exitCode: 137, finishedMs: Date.now() });
  engine.emit('die', killed);
  // Ten rounds of ten seconds, if each deletion kept a worker meanwhile.
  await fixture.pass(9_900);
  expect([...engine.containers.values()].find(({ name }) => name.includes('-killed-'))?.state).toBe(
    'running',
  );
  expect([...engine.containers.values()].some(({ body }) => body.Image === 'app:2')).toBe(true);
  await fixture.pass(15_000);
  expect([...engine.containers.values()].map(({ name }) => name)).toHaveLength(2);
});

test('rollouts for which what serves has to end first wait for that side by side, and keep no killed container waiting', async () => {
  const engine = memoryEngine(['app:1', 'app:2']);
  const fixture = await startDocker(engine);
  const app = (image: string, host_port?: number) => ({
    computeConfig: {
      docker: { image, ...(host_port && { ports: [{ container_port: 80, host_port }] }) },
    },
  });
  const rolled = Array.from({ length: 80 }, (_, index) => ({
    name: `rolled-${index}`,
    port: 20_000 + index,
  }));
  for (const { name, port } of [...rolled, { name: 'killed', port: undefined }])
    await fixture.tenants.create({
      apiVersion,
      kind,
      metadata: { name, namespace },
      spec: app('app:1', port),
    });
  await fixture.pass(30_000);
  expect(await fixture.conditions('killed')).toEqual(['Ready=True/Running']);
  for (const { name, port } of rolled) await fixture.patch(name, { spec: app('app:2', port) });
  await fixture.pass(1_000);
  const killed = [...engine.containers.values()].find(({ name }) => name.includes('-killed-'));
  if (killed === undefined) throw new Error('nothing runs');
  Object.assign(killed, { state: 'exited', exitCode: 137, finishedMs: Date.now() });
  engine.emit('die', killed);
  await fixture.pass(6_000);
  expect(killed.state).toBe('running');
  // Ten rounds of ten seconds, if each kept a worker meanwhile.
  await fixture.pass(30_000);
  const images = [...engine.containers.values()].map(({ body }) => body.Image);
  expect(images.filter((image) => image === 'app:2')).toHaveLength(rolled.length);
  expect(images).toHaveLength(rolled.length + 1);
  for (const { name } of rolled) expect(await fixture.conditions(name)).toEqual(['Ready=True/Running']);
});

test('200 tenants whose Secrets are not known yet keep none waiting that has no Secret, and each is told in time', async () => {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.putSecret('db', { password: 'one' });
  const known = Promise.withResolvers<void>();
  fixture.apiserver.intercept = async ({ method, path }) => {
    if (method === 'WATCH' && path.endsWith('/secrets')) await known.promise;
  };
  const secretKeyRef = { name: 'db', key: 'password' };
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef } }];
  const readers = { containers: [{ name: 'app', image: 'a', env }] };
  for (let index = 0; index < 200; index += 1) {
    const metadata = { name: `reader-${index}`, namespace };
    await fixture.tenants.create({ apiVersion, kind, metadata, spec: readers });
  }
  await fixture.create('well', { containers: [{ name: 'app', image: 'a' }] });
  expect(await fixture.conditions('well')).toEqual(['Ready=True/Running']);
  expect(await fixture.conditions('reader-7')).toEqual([]);
  known.resolve();
  await fixture.pass();
  expect(await fixture.conditions('reader-7')).toEqual(['Ready=True/Running']);
  expect(await fixture.conditions('reader-199')).toEqual(['Ready=True/Running']);
});

test('Secrets of which nothing is known after ten seconds are told as refused', async () => {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  fixture.apiserver.intercept = async ({ method, path }) => {
    if (method === 'WATCH' && path.endsWith('/secrets')) await new Promise(() => undefined);
  };
  await fixture.create('reader', {
    containers: [{ name: 'app', image: 'a' }],
    imagePullSecrets: [{ name: 'regcred' }],
  });
  await fixture.pass(9_999);
  expect(await fixture.conditions('reader')).toEqual([]);
  await fixture.pass(1);
  expect((await fixture.conditions('reader'))[0]).toBe('Ready=False/AccessDenied');
});

test('a Tenant that comes while thousands are looked at after a start waits for none of them', async () => {
  const before = await startController([scriptedProvider('docker')]);
  for (let index = 0; index < 1_000; index += 1) {
    const metadata = { name: `old-${index}`, namespace };
    await before.tenants.create({ apiVersion, kind, metadata, spec: {} });
  }
  await before.pass(1_000);
  await before.stop();
  const docker = scriptedProvider('docker');
  const { provider } = docker.enabled;
  const getStatus = provider.getStatus.bind(provider);
  provider.getStatus = async (...asked) => {
    await sleep(1_000);
    return getStatus(...asked);
  };
  const fixture = await startController([docker], { apiserver: before.apiserver });
  await fixture.pass(10_000);
  fixture.passes.length = 0;
  await fixture.create('fresh');
  await fixture.pass(15_000);
  expect(await fixture.conditions('fresh')).toEqual(['Ready=True/Running']);
  // Those that had begun, and one turn in eight.
  expect(fixture.passes.indexOf(`${namespace}/fresh`)).toBeLessThan(10);
});
