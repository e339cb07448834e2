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
import { desiredTenant } from '../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { observe } from '../../../../../src/compute/providers/docker/state/observed.ts';
import type {
  Inspected,
  ObservedContainer,
} from '../../../../../src/compute/providers/docker/state/observed-container.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';
import { clock, nowMs, observedContainer } from '../observed-fixture.ts';

const desired = desiredTenant(tenantSpec(), settings());
const [container] = desired.containers;

/** A container as desired, up for an hour; the arguments say what is odd about it. */
const seen = (over: Partial<ObservedContainer> = {}, inspected: Partial<Inspected> = {}) =>
  observedContainer(
    { name: container?.engineName ?? '', labels: container?.labels ?? {}, ...over },
    inspected,
  );

const look = (...containers: ObservedContainer[]) => observe(desired, containers, clock);

it('nothing is not there', () => {
  expect(look()).toMatchObject({ exists: false, compute: { state: 'stopped', running: 0, desired: 1 } });
});

it('a successor beside what it is to replace is half of a step', () => {
  const limited = seen(
    {},
    { live: { nanoCpus: 0, memoryBytes: 32 * 2 ** 20, pidsLimit: 1024, restartPolicy: 'unless-stopped' } },
  );
  const next = seen({ name: `${limited.name}_next` });
  expect(look(limited, next).halfway).toBe(true);
  expect([look(limited).halfway, look(seen(), next).halfway, look(next).halfway]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
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
    const two = desiredTenant(spec, settings());
    const containers = two.containers.map(({ engineName: name, labels }, index) =>
      seen({ name, labels, state: index === 0 ? 'running' : 'exited', exitCode: 1 }),
    );
    expect(observe(two, containers, clock)).toMatchObject({
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

  it('is forgiven restarts that are long ago, but not the last one', () => {
    const old = (upMs: number) => {
      const startedMs = nowMs - upMs;
      const times = { createdMs: nowMs - 86_400_000, startedMs, finishedMs: startedMs - 200 };
      return look(seen({ young: true }, { restartCount: 4, ...times })).compute.health;
    };
    expect(old(5_999)).toBe('unhealthy');
    expect(old(6_000)).toBe('healthy');
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
      seen({}, { live: { nanoCpus: 1e9, memoryBytes: 0, pidsLimit: 1024, restartPolicy: 'no' } }),
      ['containers.app.resources.cpu: 1 → none (drift)'],
    ],
    [
      'another restart policy',
      seen({}, { live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy: 'no' } }),
      ['containers.app.restartPolicy: no → unless-stopped (drift)'],
    ],
    [
      'of another image',
      seen({
        labels: { ...container?.labels, 'landlord.spec_hash': 'v1:0', 'landlord.image': 'app:0' },
      }),
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
    const wanted = desiredTenant(tenantSpec({ restart_policy: policy }), settings());
    const live = wanted.containers[0]?.live;
    const one = seen(
      { state: 'exited', exitCode, labels: wanted.containers[0]?.labels ?? {} },
      live && { live },
    );
    expect(observe(wanted, [one], clock).changes).toHaveLength(mended ? 1 : 0);
  });

  it('none comes from a container that another cluster made and that is adopted', () => {
    const adopting = desiredTenant(tenantSpec(), settings({ adopt_clusters: ['cluster-0'] }));
    const hash = adopting.containers[0]?.hashes.get('cluster-0')?.now ?? '';
    const labels = { ...container?.labels, 'landlord.cluster': 'cluster-0', 'landlord.spec_hash': hash };
    expect(observe(adopting, [seen({ labels })], clock).changes).toEqual([]);
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
      const provider = drivenDocker(memoryEngine(['app:1']));
      const signal = new AbortController().signal;
      expect(await provider.provision(spec, signal)).toMatchObject({ outcome: 'done' });
      const status = await provider.getStatus(spec, { fresh: true, signal });
      expect(status.changes).toEqual([]);
      expect(status.compute).toMatchObject({ state: 'running', health: 'healthy' });
    }),
    { numRuns: 100 },
  );
});

it('endpoints bear the names of the ports, and an IPv6 address its brackets in the URL', () => {
  const ports = [{ address: '::1', hostPort: 4711, containerPort: 80, protocol: 'tcp' }];
  const named = desiredTenant(
    tenantSpec(
      {},
      {
        containers: [containerSpec('app', { ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }] })],
      },
    ),
    settings(),
  );
  expect(observe(named, [seen({ ports })], clock).compute.endpoints).toEqual([
    { name: 'http', type: 'tcp', address: '::1', port: 4711, url: 'http://[::1]:4711' },
  ]);
});

it('an endpoint of a port without a name is called by container and port, and has a URL where it speaks TCP', () => {
  const port = { address: '127.0.0.1', hostPort: 4711, containerPort: 53 };
  const ports = [
    { ...port, protocol: 'tcp' },
    { ...port, protocol: 'udp' },
  ];
  expect(look(seen({ ports })).compute.endpoints).toEqual([
    { name: 'app-53', type: 'tcp', address: '127.0.0.1', port: 4711, url: 'http://127.0.0.1:4711' },
    { name: 'app-53', type: 'udp', address: '127.0.0.1', port: 4711 },
  ]);
  expect(look(seen()).compute).not.toHaveProperty('endpoints');
});

describe('of each container', () => {
  it('the status tells name, state, image and, where it is not well, why', () => {
    expect(look(seen()).compute.containers).toEqual([
      { name: 'app', state: 'running', ready: true, image: 'app:1', imageId: 'sha256:1' },
    ]);
    expect(look(seen({ state: 'exited', exitCode: 1 })).compute.containers).toEqual([
      {
        name: 'app',
        state: 'failed',
        ready: false,
        image: 'app:1',
        imageId: 'sha256:1',
        message: 'exited with code 1',
      },
    ]);
    expect(look(seen({ health: 'unhealthy' })).compute.containers?.[0]?.ready).toBe(false);
    expect(look().compute.containers).toEqual([{ name: 'app', state: 'stopped', ready: false }]);
  });

  it('the ids are told, and that of the network that one of them is attached to', () => {
    const spec = tenantSpec({}, { containers: ['a', 'b'].map((name) => containerSpec(name)) });
    const two = desiredTenant(spec, settings());
    const [first, second] = two.containers.map(({ engineName: name }) => seen({ id: name, name }));
    if (first === undefined || second === undefined) throw new Error('no containers');
    const ids = (...containers: ObservedContainer[]) => observe(two, containers, clock).compute.resourceIds;
    expect(ids(first, { ...second, networkId: 'n1' })).toEqual({
      'container/a': first.id,
      'container/b': second.id,
      network: 'n1',
    });
    expect(ids(first)).toEqual({ 'container/a': first.id });
    expect(ids()).toBeUndefined();
  });

  it('the next look is due when the first of them needs one', () => {
    const spec = tenantSpec({}, { containers: ['a', 'b'].map((name) => containerSpec(name)) });
    const two = desiredTenant(spec, settings());
    const containers = two.containers.map(({ engineName: name }, index) =>
      seen({ name }, { startedMs: nowMs - 1_000 - index }),
    );
    expect(observe(two, containers, clock).lookAgainAfterMs).toBe(1_999);
    expect(look(seen())).not.toHaveProperty('lookAgainAfterMs');
    expect(look(seen())).not.toHaveProperty('message');
  });
});

describe('who stands for a container of the spec', () => {
  const shown = (...containers: ObservedContainer[]) =>
    look(...containers).compute.resourceIds?.['container/app'];
  const labels = { 'landlord.container': 'app' };
  it('is the one that serves, else the one that served under another name, else the successor', () => {
    const next = seen({ id: 'next', name: 'landlord-tenant-acme_next' });
    const earlier = seen({ id: 'earlier', name: 'landlord-tenant-acme.app', labels });
    expect(shown(next, earlier, seen({ id: 'serving' }))).toBe('serving');
    expect(shown(next, earlier)).toBe('earlier');
    expect(shown(next, seen({ ...earlier, labels: { 'landlord.container': 'web' } }))).toBe('next');
  });
});

describe('without a spec', () => {
  const name = 'landlord-tenant-acme';
  const shown = (...containers: ObservedContainer[]) => observe(undefined, containers, clock).compute;

  it('what is there is shown by its labels, in order, and there are no changes', () => {
    const [b, a] = ['b', 'a'].map((one) =>
      seen({ id: one, name: `${name}.${one}`, labels: { 'landlord.container': one } }),
    );
    if (a === undefined || b === undefined) throw new Error('no containers');
    const seenAll = observe(undefined, [b, a], clock);
    expect(seenAll.compute.containers?.map((one) => one.name)).toEqual(['a', 'b']);
    expect(seenAll).toMatchObject({ exists: true, changes: [], compute: { running: 2, desired: 2 } });
    expect(shown(seen({ ...a, labels: {} })).containers?.map((one) => one.name)).toEqual([`${name}.a`]);
    expect(shown()).toEqual({ state: 'stopped', health: 'unknown', running: 0, desired: 0 });
  });

  it('one that stands in for another is shown only where that is not there', () => {
    const ids = (...suffixes: string[]) =>
      shown(...suffixes.map((suffix) => seen({ id: `${name}${suffix}`, name: `${name}${suffix}` }))).desired;
    expect(ids('', '_next', '_old')).toBe(1);
    expect(ids('_next')).toBe(1);
  });

  it.each<[string, Partial<ObservedContainer>]>([
    ['was stopped for its successor', { state: 'exited', exitCode: 0 }],
    ['keeps exiting beside its successor', { state: 'restarting', exitCode: 1 }],
    ['fails its health check beside its successor', { health: 'unhealthy' }],
  ])('of one that %s the successor is shown, in whatever order they come', (_what, over) => {
    const old = seen({ id: 'old', name, ...over });
    const next = seen({ id: 'next', name: `${name}_next` });
    for (const both of [
      [old, next],
      [next, old],
    ]) {
      expect(shown(...both)).toMatchObject({
        running: 1,
        desired: 1,
        resourceIds: { 'container/app': 'next' },
      });
    }
  });
});
