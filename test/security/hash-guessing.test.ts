import { describe, expect, test } from 'vitest';
import type { Observation, Provider } from '../../src/compute/provider.ts';
import { HashKey } from '../../src/compute/spec/spec-hash.ts';
import { SecretValue } from '../../src/compute/spec/secret-value.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import type { DockerContext } from '../../src/compute/providers/docker/reach.ts';
import { hashKey, otherKey } from '../compute/hash-key.ts';
import {
  containerSpec,
  drivenDocker,
  settings,
  tenantSpec,
} from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine, writes } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { startController } from '../controller/controller-fixture.ts';
import { image, statusOf } from '../controller/tenant-fixture.ts';
import { scriptedProvider } from '../controller/scripted-provider.ts';

/** Who reads a status, and knows all of a spec but a secret's value, tries out what it might be. */

const signal = new AbortController().signal;
const fresh = { fresh: true, signal };
const cheap = { fresh: false, signal };

const withPin = (pin: string, over: Parameters<typeof tenantSpec>[1] = {}, args: string[] = []) => {
  const env = [{ name: 'PIN', secretKeyRef: { name: 's', key: 'k' }, secret: new SecretValue(pin) }];
  return tenantSpec({ restart_policy: 'no' }, { containers: [containerSpec('app', { env, args })], ...over });
};
const run = (engine: MemoryEngine, over: Partial<DockerContext> = {}) =>
  drivenDocker(engine, settings(), over);
const changing = (engine: MemoryEngine) => engine.calls.filter((call) => writes.includes(call));

/** All hashes in what is told. */
const hashesIn = (told: unknown): string[] => JSON.stringify(told).match(/\b[a-z]\d:[0-9a-f.]{32,}/g) ?? [];

describe('a four-digit secret can not be found by trying', () => {
  const pins = Array.from({ length: 10_000 }, (_none, pin) => String(pin).padStart(4, '0'));

  test('from the hash of the desired state, by who knows all but the key of the installation', () => {
    const seen = run(memoryEngine()).bare.desired(withPin('4711')).specHash;
    const attacker = run(memoryEngine(), { hashKey: new HashKey(new Uint8Array(32)) });
    const guesses = pins.map((pin) => attacker.bare.desired(withPin(pin)).specHash);
    expect(guesses).not.toContain(seen);
    const opens = guesses.map((hash) => hash.split('.')[0]);
    expect(new Set(opens)).toEqual(new Set([seen.split('.')[0]]));
  });

  test('by Tenants of their own that have the same spec and a secret that they know', () => {
    const { bare } = run(memoryEngine());
    const parts = ({ specHash, containers }: ReturnType<typeof bare.desired>) =>
      [specHash, ...containers.map(({ labels }) => labels['landlord.spec_hash'])].map(
        (hash) => hash?.split('.')[2],
      );
    const victims = parts(bare.desired(withPin('4711')));
    for (const over of [
      { tenant: { namespace: 'evil', name: 'acme', uid: '' } },
      { tenant: { namespace: 'team-a', name: 'other', uid: '' } },
      { tenantId: 'other' },
    ]) {
      const own = parts(bare.desired(withPin('4711', over)));
      expect(own.filter((seal) => victims.includes(seal))).toEqual([]);
    }
  });
});

describe('what a version before has hashed with a key that everybody knows', () => {
  /** A container as that version made it. */
  async function madeBefore(spec: ReturnType<typeof withPin>, state = 'running') {
    const engine = memoryEngine(['app:1']);
    const provider = run(engine);
    await provider.provision(spec, signal);
    const [container] = engine.containers.values();
    const former = provider.bare.desired(spec).containers[0]?.hashes.get('cluster-1')?.former[0] ?? '';
    if (container?.body.Labels === undefined) throw new Error('no container');
    container.body.Labels['landlord.spec_hash'] = former;
    if (state === 'exited') Object.assign(container, { state, exitCode: 0, finishedMs: container.startedMs });
    engine.calls.length = 0;
    return { engine, former };
  }

  test('is the same, so that nothing rolls', async () => {
    const spec = withPin('4711');
    const { engine } = await madeBefore(spec);
    const provider = run(engine);
    for (const how of [cheap, fresh]) expect((await provider.getStatus(spec, how)).changes).toEqual([]);
    expect(await provider.update(spec, signal)).toMatchObject({ outcome: 'done' });
    expect(changing(engine)).toEqual([]);
  });

  test.each<
    [what: string, look: (provider: Provider, spec: ReturnType<typeof withPin>) => Promise<Observation>]
  >([
    [
      'of a job that is done',
      (provider, spec) => provider.getStatus(provider.desired(spec), provider.desired(spec), fresh),
    ],
    ['without a spec', (provider, spec) => provider.getStatus(provider.desired(spec), undefined, fresh)],
    [
      'as a difference',
      (provider, spec) => {
        const rotated = provider.desired({ ...spec, containers: withPin('4712').containers });
        return provider.getStatus(rotated, rotated, fresh);
      },
    ],
  ])('is shown %s by no status', async (_what, look) => {
    const spec = withPin('4711');
    const { engine, former } = await madeBefore(spec, 'exited');
    const told = await look(run(engine).bare, spec);
    expect(hashesIn(told).length).toBeGreaterThan(0);
    expect(hashesIn(told).filter((hash) => hash.startsWith('v1:') || hash === former)).toEqual([]);
  });

  test('is remembered: a job that is done is not run again, though its container was pruned', async () => {
    const spec = withPin('4711');
    const { engine, former } = await madeBefore(spec, 'exited');
    const provider = run(engine);
    const unseen = await provider.bare.getStatus(provider.bare.desired(spec), undefined, fresh);
    const seen = await provider.getStatus(spec, fresh);
    engine.containers.clear();
    for (const completed of [
      former,
      unseen.compute.containers?.[0]?.completed,
      seen.compute.containers?.[0]?.completed,
    ]) {
      const containers = [
        { name: 'app', state: 'stopped' as const, ready: false, completed: completed ?? '' },
      ];
      const before = { ...seen.compute, containers };
      expect((await provider.getStatus({ ...spec, before }, fresh)).changes).toEqual([]);
    }
    expect((await provider.getStatus(spec, fresh)).changes).toHaveLength(1);
  });

  test('keeps a spec rejected, and its place in the status is taken by the hash of now', async () => {
    const docker = scriptedProvider('docker');
    const { provider } = docker.enabled;
    const enabled = {
      ...docker.enabled,
      provider: {
        ...provider,
        desired: (spec: Parameters<Provider['desired']>[0]) => ({
          ...provider.desired(spec),
          former: { hashes: ['v1:former'] },
        }),
      },
    };
    const fixture = await startController([{ ...docker, enabled }]);
    await fixture.create('acme', image('a'));
    const rejected = { specHash: 'v1:former', reason: 'RolledBack', message: 'no' } as const;
    const status = statusOf('False', 'RolledBack', { tenantId: 'team-a-acme-9201d5e7', rejected });
    fixture.apiserver.putStatusUnchecked('team-a', 'acme', { ...status, observedGeneration: 1 });
    const steps = docker.calls.length;
    await fixture.pass(10_000);
    expect((await fixture.get('acme')).status?.rejected).toEqual({ ...rejected, specHash: 'image=a' });
    expect(docker.calls.slice(steps).filter(({ operation }) => operation === 'update')).toEqual([]);
  });
});

describe('a key that was lost', () => {
  test.each([cheap, fresh])('rolls nothing, as the values tell that the engine shows (%j)', async (how) => {
    const engine = memoryEngine(['app:1']);
    await run(engine, { hashKey: otherKey }).provision(withPin('4711'), signal);
    engine.calls.length = 0;
    const provider = run(engine, { hashKey });
    await provider.getStatus(withPin('4711'), how);
    expect((await provider.getStatus(withPin('4711'), fresh)).changes).toEqual([]);
    expect(await provider.update(withPin('4711'), signal)).toMatchObject({ outcome: 'done' });
    expect(changing(engine)).toEqual([]);
  });

  test.each([
    ['another value', withPin('4712')],
    ['another spec', withPin('4711', {}, ['x'])],
  ])('does not hide %s', async (_what, spec) => {
    const engine = memoryEngine(['app:1']);
    await run(engine, { hashKey: otherKey }).provision(withPin('4711'), signal);
    const provider = run(engine, { hashKey });
    expect((await provider.getStatus(spec, fresh)).changes).toMatchObject([{ cause: 'spec' }]);
  });

  test('of another cluster that is adopted rolls nothing either', async () => {
    const engine = memoryEngine(['app:1']);
    await run(engine, { hashKey: otherKey, clusterUid: 'cluster-0' }).provision(withPin('4711'), signal);
    engine.calls.length = 0;
    const adopting = drivenDocker(engine, settings({ adopt_clusters: ['cluster-0'] }));
    expect(await adopting.update(withPin('4711'), signal)).toMatchObject({ outcome: 'done' });
    expect(changing(engine)).toEqual([]);
  });

  test('shows no value of what it had to compare', async () => {
    const engine = memoryEngine(['app:1']);
    await run(engine, { hashKey: otherKey }).provision(withPin('4711-4711'), signal);
    const provider = run(engine, { hashKey });
    const told = await provider.getStatus(withPin('other-pin'), fresh);
    expect(JSON.stringify(told)).not.toContain('4711-4711');
  });
});

test('providers whose hashes have no values of secrets say so: they need no key', () => {
  expect(dockerDefinition.secrets).toBe('values');
});
