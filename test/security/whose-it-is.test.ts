import { describe, expect, test } from 'vitest';
import type { ComputeError } from '../../src/compute/errors.ts';
import { refusal } from '../../src/compute/providers/docker/engine/engine-errors.ts';
import type { TenantComputeSpec } from '../../src/compute/spec/tenant-compute-spec.ts';
import type { DockerConfig } from '../../src/compute/providers/docker/config.ts';
import {
  containerSpec,
  drivenDocker,
  settings,
  tenantSpec,
} from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import * as ecs from '../compute/providers/ecs/ecs-fixture.ts';
import { memoryEcs } from '../compute/providers/ecs/memory-ecs.ts';
import { startController } from '../controller/controller-fixture.ts';
import { scriptedProvider } from '../controller/scripted-provider.ts';
import { image } from '../controller/tenant-fixture.ts';

/** A tenant that comes second learns that something is in its way, and not whose it is. */

const signal = new AbortController().signal;
const theirs = { namespace: 'hidden-ns', name: 'hidden-name', uid: 'hidden-uid' };
const clusterUid = 'hidden-cluster';

async function failureOf(call: Promise<unknown>): Promise<ComputeError> {
  return call.then(
    () => {
      throw new Error('it was no failure');
    },
    (error: ComputeError) => error,
  );
}

type Spec = TenantComputeSpec<DockerConfig>;
const two = [containerSpec('a'), containerSpec('b')];

describe('on an engine', () => {
  test.each<[what: string, first: Spec, second: Spec]>([
    ['a container', tenantSpec({}, { tenant: theirs }), tenantSpec()],
    ['a network', tenantSpec({}, { tenant: theirs, containers: two }), tenantSpec({}, { containers: two })],
  ])('%s of another tenant stays nameless', async (_what, first, second) => {
    const engine = memoryEngine(['app:1', 'app:2']);
    const provider = drivenDocker(engine, settings(), { clusterUid });
    await provider.provision(first, signal);
    const { message } = await failureOf(provider.provision(second, signal));
    expect(message).not.toContain('hidden');
  });

  test('a container that holds a host port stays nameless', async () => {
    const engine = memoryEngine(['app:1', 'app:2']);
    const provider = drivenDocker(engine);
    const own = { container_port: 70, host_port: 7070 };
    const taken = { container_port: 80, host_port: 8080 };
    await provider.provision(tenantSpec({ ports: [own] }), signal);
    await provider.provision(
      tenantSpec({ ports: [taken] }, { tenant: theirs, tenantId: 'hidden-id' }),
      signal,
    );
    const { message } = await failureOf(provider.update(tenantSpec({ ports: [own, taken] }), signal));
    expect(message).toContain('8080');
    expect(message).not.toContain('hidden');
  });

  test('what another cluster made does not name it', async () => {
    const engine = memoryEngine(['app:1']);
    await drivenDocker(engine, settings(), { clusterUid }).provision(tenantSpec(), signal);
    const error = await failureOf(drivenDocker(engine).provision(tenantSpec(), signal));
    expect(error).toMatchObject({ code: 'ProviderConflict' });
    expect(error.message).not.toContain('hidden');
    expect(error.forLog).toContain('hidden-cluster');
  });

  test('who uses a network that is to go is not told by the words of the engine', () => {
    const text = 'network n has active endpoints (name:"hidden-container" id:"0123456789ab")';
    expect(refusal({ status: 403, text }, 'n').message).not.toContain('hidden');
  });

  test('networks of others that a container was put into are not named', async () => {
    const engine = memoryEngine(['app:1']);
    const provider = drivenDocker(engine);
    const spec = tenantSpec({}, { containers: two });
    await provider.provision(spec, signal);
    const inspect = engine.inspectContainer.bind(engine);
    engine.inspectContainer = async (id, aborted) => {
      const found = await inspect(id, aborted);
      if (found !== undefined) found.NetworkSettings.Networks = { 'landlord-hidden': {} as never };
      return found;
    };
    const seen = await provider.getStatus(spec, { fresh: true, signal });
    expect(seen.changes.length).toBeGreaterThan(0);
    expect(JSON.stringify(seen.changes)).not.toContain('hidden');
  });
});

test('on ECS, a service of another tenant stays nameless, and so does the cluster', async () => {
  const api = memoryEcs();
  const parts = ecs.settings();
  const provider = (over = {}) => ecs.drivenEcs(api, parts.block, parts.policy, ecs.context(over));
  await provider({ clusterUid }).provision(ecs.tenantSpec({}, { tenant: theirs }), signal);
  for (const over of [{}, { clusterUid }]) {
    const error = await failureOf(provider(over).provision(ecs.tenantSpec(), signal));
    expect(error).toMatchObject({ code: 'ProviderConflict' });
    expect(error.message).not.toContain('hidden');
    expect(error.forLog).toContain('hidden-ns/hidden-name');
  }
});

test('a tenant id that is taken does not name the Tenant of another namespace, but in the log', async () => {
  const fixture = await startController([scriptedProvider('docker')]);
  const spec = { tenantId: 'team-a-shared', ...image('a') };
  const kind = { apiVersion: 'landlord.dev/v1alpha1', kind: 'Tenant' };
  await fixture.tenants.create({ ...kind, metadata: { name: 'hidden', namespace: 'team-hidden' }, spec });
  await fixture.pass(1000);
  await fixture.create('acme', spec);
  expect((await fixture.conditions('acme'))[0]).toBe('Ready=False/ProviderConflict');
  const told = [
    await fixture.get('acme'),
    fixture.events.filter(({ regarding }) => regarding.name === 'acme'),
  ];
  expect(JSON.stringify(told)).not.toContain('hidden');
  expect(JSON.stringify(fixture.lines)).toContain('team-hidden/hidden');
});
