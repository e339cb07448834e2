import { describe, expect, it } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import type { TenantPlace } from '../../../../../src/compute/provider.ts';
import { destroyTenant } from '../../../../../src/compute/providers/docker/converge/destroy-tenant.ts';
import { createPendingStops } from '../../../../../src/compute/providers/docker/converge/stops/pending-stops.ts';
import { EngineRefusal } from '../../../../../src/compute/providers/docker/engine/engine.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';
import { recordedChanges } from '../recorded-changes.ts';
import { anyPermit } from '../../../permits.ts';

const signal = new AbortController().signal;
const { ownership } = settings();
const name = 'landlord-tenant-acme';
const spec = tenantSpec(
  { volumes: ['data:/data'] },
  {
    containers: [
      containerSpec('a', { stopGracePeriodSeconds: 0 }),
      containerSpec('b', { stopGracePeriodSeconds: 60 }),
      containerSpec('c'),
      containerSpec('d'),
    ],
  },
);
const ref = (placement: Record<string, unknown> = {}): TenantPlace => ({
  tenantId: 'acme',
  namespace: 'team-a',
  name: 'acme',
  placement: { provider: 'docker', labelPrefix: 'landlord', ...placement },
});

/** An engine on which a tenant with four containers, a network and a volume runs. */
async function bench() {
  const engine = memoryEngine(['app:1']);
  await drivenDocker(engine).provision(spec, signal);
  const pendingStops = createPendingStops(() => undefined);
  return {
    engine,
    changes: recordedChanges(engine),
    destroy: (whose = ref()) =>
      destroyTenant({ engine, ownership, permit: anyPermit, pendingStops }, whose, signal),
  };
}

describe('destroying', () => {
  it('stops what is up, with its time to end, removes all containers, then what they held', async () => {
    const { engine, changes, destroy } = await bench();
    const states = ['running', 'restarting', 'paused', 'exited'];
    for (const [index, container] of [...engine.containers.values()].entries()) {
      container.state = states[index] ?? '';
    }
    expect(await destroy()).toEqual({ outcome: 'gone', message: 'Nothing is left' });
    expect(changes).toEqual([
      `stop ${name}.a 0`,
      `stop ${name}.b 60`,
      `stop ${name}.c 10`,
      ...['a', 'b', 'c', 'd'].map((one) => `remove ${name}.${one}`),
      'removeNetwork landlord-acme',
      'removeVolume landlord-acme_data',
    ]);
  });

  it('says what is left while the engine is at it, and looks again in a second, before it takes what that holds', async () => {
    const { engine, changes, destroy } = await bench();
    const remove = engine.removeContainer.bind(engine);
    engine.removeContainer = async () => 'removing';
    expect(await destroy()).toEqual({
      outcome: 'in_progress',
      message: `Removing container ${name}.a, container ${name}.b, container ${name}.c, container ${name}.d`,
      lookAgainAfterMs: 1_000,
    });
    expect(changes.filter((change) => /^remove(Network|Volume)/.test(change))).toEqual([]);
    engine.removeContainer = remove;
    engine.removeVolume = async () => undefined;
    expect(await destroy()).toEqual({
      outcome: 'in_progress',
      message: 'Removing volume landlord-acme_data',
      lookAgainAfterMs: 1_000,
    });
  });

  it('asks once for each kind of thing: that each of them is gone is what the engine answers', async () => {
    const { engine, destroy } = await bench();
    engine.calls.length = 0;
    expect(await destroy()).toMatchObject({ outcome: 'gone' });
    const lists = engine.calls.filter((call) => call.startsWith('list') && call !== 'listVolumes');
    expect(lists).toEqual(['listContainers', 'listNetworks']);
  });

  it('touches nothing of another tenant that bears the same id', async () => {
    const { changes, destroy } = await bench();
    expect((await destroy({ ...ref(), name: 'other' })).outcome).toBe('gone');
    expect((await destroy({ ...ref(), namespace: 'team-b' })).outcome).toBe('gone');
    expect(changes).toEqual([]);
  });

  it('goes by the tenant id of the placement, which may be an earlier one', async () => {
    const { engine, destroy } = await bench();
    expect((await destroy({ ...ref({ tenantId: 'acme' }), tenantId: 'renamed' })).outcome).toBe('gone');
    expect(engine.containers.size).toBe(0);
  });

  it('by a placement that does not say where is refused', async () => {
    const { changes, destroy } = await bench();
    await expect(destroy(ref({ labelPrefix: undefined }))).rejects.toMatchObject({
      code: 'DestroyFailed',
      message: 'status.placement of this tenant does not name its labelPrefix',
    });
    expect(changes).toEqual([]);
  });
});

describe('what can not be removed', () => {
  it.each([
    ['removeNetwork', 'network landlord-acme'],
    ['removeVolume', 'volume landlord-acme_data'],
  ] as const)('is named, and who uses it is to be removed first: %s', async (call, what) => {
    const { engine, destroy } = await bench();
    engine[call] = async () => {
      throw new EngineRefusal('in-use', 409, 'it is in use');
    };
    await expect(destroy()).rejects.toMatchObject({
      code: 'DestroyFailed',
      message: `${what} can't be removed: it is in use. A container that is not this tenant's uses it: remove that one`,
    });
    engine[call] = async () => {
      throw new EngineRefusal('other', 500, 'no way');
    };
    await expect(destroy()).rejects.toMatchObject({
      code: 'DestroyFailed',
      message: `${what} can't be removed: no way`,
    });
  });

  it('because the engine is out of reach is told as that', async () => {
    const { engine, destroy } = await bench();
    const unreachable = new ComputeError('ProviderUnavailable', 'the engine is out of reach');
    engine.removeVolume = async () => {
      throw unreachable;
    };
    await expect(destroy()).rejects.toBe(unreachable);
  });
});
