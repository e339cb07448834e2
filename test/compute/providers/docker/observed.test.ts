import type Dockerode from 'dockerode';
import {
  assert,
  asyncProperty,
  constantFrom,
  dictionary,
  integer,
  option,
  record,
  uniqueArray,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desireTenant } from '../../../../src/compute/providers/docker/desired.ts';
import { observe } from '../../../../src/compute/providers/docker/observed.ts';
import { observeContainer } from '../../../../src/compute/providers/docker/observed-container.ts';
import type { ObservedContainer } from '../../../../src/compute/providers/docker/observed-container.ts';
import { dockerProvider } from '../../../../src/compute/providers/docker/provider.ts';
import { placedTenant } from '../../placed-tenant.ts';
import { containerSpec, context, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';

const prefix = 'landlord';
const nowMs = Date.parse('2026-01-01T12:00:00Z');
const clock = { nowMs, settleMs: 3_000 };
const desired = desireTenant(tenantSpec(), settings());
const [container] = desired.containers;

/** A container as desired, up for an hour; `over` says what is odd about it. */
function seen(
  over: Partial<ObservedContainer> = {},
  inspected: Partial<ObservedContainer['inspected']> = {},
): ObservedContainer {
  return {
    id: 'c1',
    name: container?.engineName ?? '',
    state: 'running',
    health: 'none',
    exitCode: undefined,
    young: false,
    image: 'app:1',
    labels: container?.labels ?? {},
    ports: [],
    networkId: undefined,
    inspected: {
      createdMs: nowMs - 3_600_000,
      startedMs: nowMs - 3_600_000,
      finishedMs: 0,
      exitCode: 0,
      oomKilled: false,
      error: '',
      restartCount: 0,
      lastProbe: '',
      image: 'app:1',
      live: { nanoCpus: 0, memoryBytes: 0, restartPolicy: 'unless-stopped' },
      fixedPorts: [],
      writableMounts: [],
      networkMode: 'bridge',
      ...inspected,
    },
    ...over,
  };
}

const look = (...containers: ObservedContainer[]) => observe(desired, { containers, prefix }, clock);

it('nothing is not there', () => {
  expect(look()).toMatchObject({ exists: false, compute: { state: 'stopped', running: 0, desired: 1 } });
});

describe('state and health', () => {
  it.each<[string, ObservedContainer, string, string]>([
    ['running for long', seen(), 'running', 'healthy'],
    ['healthy by its check', seen({ health: 'healthy' }, { startedMs: nowMs - 1 }), 'running', 'healthy'],
    ['failing its check', seen({ health: 'unhealthy' }), 'running', 'unhealthy'],
    ['not yet checked', seen({ health: 'starting' }, { startedMs: nowMs - 60_000 }), 'starting', 'unknown'],
    ['just started', seen({ young: true }, { startedMs: nowMs - 1_000 }), 'starting', 'unknown'],
    ['settled', seen({ young: true }, { startedMs: nowMs - 3_000 }), 'running', 'healthy'],
    ['paused', seen({ state: 'paused' }), 'stopped', 'unhealthy'],
    ['ended well', seen({ state: 'exited', exitCode: 0 }), 'stopped', 'unhealthy'],
    ['ended badly', seen({ state: 'exited', exitCode: 1 }), 'failed', 'unhealthy'],
    ['made, not started', seen({ state: 'created' }), 'starting', 'unknown'],
    ['made, and refused to start', seen({ state: 'created' }, { error: 'port' }), 'failed', 'unhealthy'],
    ['being removed', seen({ state: 'removing' }), 'stopping', 'unknown'],
    ['dead', seen({ state: 'dead' }), 'failed', 'unhealthy'],
    ['seen only in a list, old', { ...seen(), inspected: undefined }, 'running', 'healthy'],
    ['seen only in a list, young', { ...seen({ young: true }), inspected: undefined }, 'starting', 'unknown'],
  ])('a container that is %s', (_what, one, state, health) => {
    expect(look(one).compute).toMatchObject({ state, health });
  });

  it('the whole is as bad as the worst of its containers', () => {
    const spec = tenantSpec({}, { containers: ['a', 'b'].map((name) => containerSpec(name)) });
    const two = desireTenant(spec, settings());
    const containers = two.containers.map(({ engineName: name, labels }, index) =>
      seen({ name, labels, state: index === 0 ? 'running' : 'exited', exitCode: 1 }),
    );
    expect(observe(two, { containers, prefix }, clock)).toMatchObject({
      compute: { state: 'failed', health: 'unhealthy', running: 1, desired: 2 },
      message: 'container b exited with code 1',
    });
  });
});

describe('a container that keeps crashing', () => {
  const crashed = (restartCount: number, upMs: number, state: 'running' | 'restarting' = 'running') =>
    look(
      seen(
        { state, exitCode: 3, young: true },
        { restartCount, createdMs: nowMs - 60_000, startedMs: nowMs - upMs },
      ),
    );

  it('must run twice as long for each restart before it counts as healthy, at most 5 minutes', () => {
    expect(crashed(1, 5_900).compute.health).toBe('unhealthy');
    expect(crashed(1, 6_000).compute.health).toBe('healthy');
    expect(crashed(3, 23_000).compute.health).toBe('unhealthy');
    expect(crashed(3, 24_000).compute.health).toBe('healthy');
    expect(crashed(30, 50_000).lookAgainAfterMs).toBe(250_000);
  });

  it('says the same between two restarts and while it runs, so that the status does not flap', () => {
    const [up, down] = [crashed(5, 100), crashed(5, 100, 'restarting')];
    expect(up.message).toBe('container app keeps exiting with code 3; the engine restarts it');
    expect(down.message).toBe(up.message);
    expect(down.compute.state).toBe(up.compute.state);
  });

  it('is forgiven restarts that are long ago', () => {
    const old = seen(
      { young: true },
      { restartCount: 4, createdMs: nowMs - 86_400_000, startedMs: nowMs - 4_000 },
    );
    expect(look(old).compute.health).toBe('healthy');
  });

  it('shows its restarts only while they are news, so that a restarted operator writes nothing new', () => {
    const restarts = (upMs: number) => crashed(2, upMs).compute.containers?.[0]?.restartCount;
    expect(restarts(10_000)).toBe(2);
    expect(restarts(300_000)).toBeUndefined();
  });
});

describe('changes', () => {
  const changed = (...containers: ObservedContainer[]) =>
    look(...containers).changes.map(
      ({ path, desired, actual, cause }) => `${path}: ${actual} → ${desired} (${cause})`,
    );

  it.each<[string, ObservedContainer, readonly string[]]>([
    ['nothing', seen(), []],
    [
      'stopped',
      seen({ state: 'exited', exitCode: 137 }),
      ['containers.app.state: exited (137) → running (drift)'],
    ],
    ['paused', seen({ state: 'paused' }), ['containers.app.state: paused → running (drift)']],
    ['never started', seen({ state: 'created' }), ['containers.app.state: created → running (spec)']],
    [
      'other limits than it was made with',
      seen({}, { live: { nanoCpus: 1e9, memoryBytes: 0, restartPolicy: 'no' } }),
      ['containers.app.resources.cpu: 1 → none (drift)'],
    ],
    [
      'another restart policy',
      seen({}, { live: { nanoCpus: 0, memoryBytes: 0, restartPolicy: 'no' } }),
      ['containers.app.restartPolicy: no → unless-stopped (drift)'],
    ],
    [
      'of another image',
      seen({ labels: { ...container?.labels, 'landlord.spec_hash': 'v1:0' } }, { image: 'app:0' }),
      ['containers.app.image: app:0 → app:1 (spec)'],
    ],
    [
      'under a name that the spec does not have',
      seen({ name: 'landlord-tenant-acme.web' }),
      [
        'containers.app: absent → present (spec)',
        'containers.landlord-tenant-acme.web: running → absent (spec)',
      ],
    ],
  ])('%s', (_what, one, changes) => {
    expect(changed(one)).toEqual(changes);
  });

  it('a stopped container of an earlier spec is drift besides, so that it is started under a rejected spec, too', () => {
    const labels = { ...container?.labels, 'landlord.spec_hash': 'v1:0' };
    const old = seen({ state: 'exited', exitCode: 1, labels });
    expect(look(old).changes.map(({ cause }) => cause)).toEqual(['spec', 'drift']);
  });

  it.each<[string, number, boolean]>([
    ['no', 1, false],
    ['no', 0, false],
    ['on-failure', 0, false],
    ['on-failure', 1, true],
    ['always', 0, true],
    ['unless-stopped', 0, true],
  ])('under restart_policy %s, an exit with code %i is mended: %s', (policy, exitCode, mended) => {
    const wanted = desireTenant(tenantSpec({ restart_policy: policy }), settings());
    const live = wanted.containers[0]?.live;
    const one = seen(
      { state: 'exited', exitCode, labels: wanted.containers[0]?.labels ?? {} },
      live && { live },
    );
    expect(observe(wanted, { containers: [one], prefix }, clock).changes).toHaveLength(mended ? 1 : 0);
  });

  it('none comes from a container that another cluster made and that is adopted', () => {
    const adopting = desireTenant(tenantSpec(), settings({ adopt_clusters: ['cluster-0'] }));
    const hash = adopting.containers[0]?.hashes.get('cluster-0') ?? '';
    const labels = { ...container?.labels, 'landlord.cluster': 'cluster-0', 'landlord.spec_hash': hash };
    expect(observe(adopting, { containers: [seen({ labels })], prefix }, clock).changes).toEqual([]);
  });
});

it('what was applied shows no changes, whatever the spec', async () => {
  const name = constantFrom('a', 'b', 'c', 'next', 'old');
  const limits = option(constantFrom('250m', '1', '2'), { nil: undefined });
  const specs = record({
    names: uniqueArray(name, { maxLength: 4 }),
    env: dictionary(constantFrom('A', 'B', 'C'), constantFrom('', '1', 'x y')),
    cpu: limits,
    hostPort: option(integer({ min: 1_024, max: 2_048 }), { nil: undefined }),
    policy: constantFrom('no', 'always', 'on-failure', 'unless-stopped'),
    volumes: uniqueArray(constantFrom('one:/one', 'two:/two:ro'), { maxLength: 2 }),
  });
  await assert(
    asyncProperty(specs, async ({ names, env, cpu, hostPort, policy, volumes }) => {
      const ports = hostPort === undefined ? {} : { ports: [{ container_port: 80, host_port: hostPort }] };
      const resources = cpu === undefined ? {} : { resources: { cpu } };
      const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
      const spec = tenantSpec(
        { env, restart_policy: policy, volumes, ...ports, ...resources },
        { containers: names.map((name) => containerSpec(name, { env: variables })) },
      );
      const rules = settings();
      const provider = dockerProvider(memoryEngine(['app:1']), rules.block, rules.policy, context());
      const signal = new AbortController().signal;
      expect(await provider.provision(spec, signal)).toMatchObject({ outcome: 'done' });
      const ref = placedTenant(provider, spec, { thorough: true });
      const status = await provider.getStatus(ref, spec, signal);
      expect(status.changes).toEqual([]);
      expect(status.compute).toMatchObject({ state: 'running', health: 'healthy' });
    }),
    { numRuns: 100 },
  );
});

describe('what a list says', () => {
  const info = (over: Partial<Dockerode.ContainerInfo>) =>
    observeContainer({
      Id: 'c',
      Names: ['/a'],
      Image: 'i',
      Labels: {},
      State: 'running',
      Status: '',
      Ports: [],
      ...over,
    } as never);

  it.each([
    ['Up Less than a second', true],
    ['Up 59 seconds', true],
    ['Up About a minute (healthy)', true],
    ['Up 4 minutes', true],
    ['Up 5 minutes', false],
    ['Up About an hour', false],
    ['Up 3 days (unhealthy)', false],
  ])('%s: young is %s', (Status, young) => {
    expect(info({ Status }).young).toBe(young);
  });

  it.each([
    ['Up 3 days (unhealthy)', 'unhealthy'],
    ['Up 2 seconds (health: starting)', 'starting'],
    ['Up 2 hours (healthy)', 'healthy'],
    ['Up 2 hours (Paused)', 'none'],
  ])('%s: health is %s', (Status, health) => {
    expect(info({ Status }).health).toBe(health);
  });

  it('the code of an exit, and the name that is its own among links', () => {
    expect(info({ State: 'exited', Status: 'Exited (137) 2 minutes ago' }).exitCode).toBe(137);
    expect(info({ Names: ['/other/alias', '/own'] }).name).toBe('own');
  });
});

it('endpoints bear the names of the ports, and an IPv6 address its brackets in the URL', () => {
  const ports = [{ address: '::1', hostPort: 4711, containerPort: 80, protocol: 'tcp' }];
  const named = desireTenant(
    tenantSpec(
      {},
      {
        containers: [containerSpec('app', { ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }] })],
      },
    ),
    settings(),
  );
  expect(observe(named, { containers: [seen({ ports })], prefix }, clock).compute.endpoints).toEqual([
    { name: 'http', type: 'tcp', address: '::1', port: 4711, url: 'http://[::1]:4711' },
  ]);
});
