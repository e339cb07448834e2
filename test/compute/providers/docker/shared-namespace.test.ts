import { describe, expect, it } from 'vitest';
import { consentTo, permitUpTo } from '../../../../src/compute/permit.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';
import { recordedChanges } from './recorded-changes.ts';

/** A container in the network namespace of a sibling: `network_mode: service:NAME`. */

const signal = new AbortController().signal;
const consent = consentTo(permitUpTo('outage'), 'outage', 'meddling');
const [vpn, app] = ['landlord-tenant-acme.vpn', 'landlord-tenant-acme.app'];
const inVpn = { containers: { app: { network_mode: 'service:vpn' } } };
const never = { settleMs: 3_600_000 };

type Over = Parameters<typeof containerSpec>[1];

/** The one that joins comes first, in the spec. */
const asking = (images: { readonly vpn?: string; readonly app?: string } = {}, over: Over = {}) =>
  tenantSpec(inVpn, {
    containers: [
      containerSpec('app', { image: images.app ?? 'app:1', ...over }),
      containerSpec('vpn', { image: images.vpn ?? 'app:1' }),
    ],
  });

async function running(spec = asking()) {
  const engine = memoryEngine(['app:1', 'app:2', 'crash:1']);
  const provider = drivenDocker(engine);
  expect((await provider.provision(spec, signal)).outcome).toBe('done');
  return { engine, provider, changes: recordedChanges(engine) };
}

function named(engine: MemoryEngine, name: string) {
  return [...engine.containers.values()].find((container) => container.name === name);
}

/** The name of whose namespace it is in. */
function holderOf(engine: MemoryEngine, name: string): string | undefined {
  const mode = named(engine, name)?.hostConfig.NetworkMode ?? '';
  return engine.containers.get(mode.replace(/^container:/, ''))?.name;
}

const changesOf = async (provider: ReturnType<typeof drivenDocker>, spec = asking()) =>
  (await provider.getStatus(spec, { fresh: true, signal })).changes;

describe('a container in the network namespace of a sibling', () => {
  it('is made and started after that, by its id, in no network of its own', async () => {
    const engine = memoryEngine(['app:1']);
    const changes = recordedChanges(engine);
    await drivenDocker(engine).provision(asking(), signal);
    expect(changes.filter((change) => /^(create|start) /.test(change))).toEqual([
      `create ${vpn}`,
      `create ${app}`,
      `start ${vpn}`,
      `start ${app}`,
    ]);
    expect(named(engine, app)?.hostConfig.NetworkMode).toBe(`container:${named(engine, vpn)?.id}`);
    expect(named(engine, app)?.body.NetworkingConfig).toBeUndefined();
    expect(await changesOf(drivenDocker(engine))).toEqual([]);
  });

  it('waits for no more than that one to be started, unless it says so', async () => {
    const engine = memoryEngine(['app:1']);
    await drivenDocker(engine, settings(), never).provision(asking(), signal);
    expect(named(engine, app)?.state).toBe('running');
    const slow = memoryEngine(['app:1']);
    const dependsOn = [{ container: 'vpn', condition: 'Healthy' as const }];
    await drivenDocker(slow, settings(), never).provision(asking({}, { dependsOn }), signal);
    expect(named(slow, app)?.state).toBe('created');
  });

  it('is replaced with it, each successor in the namespace of the other, beside what runs', async () => {
    const { engine, provider, changes } = await running();
    const before = named(engine, app)?.id;
    expect(await changesOf(provider, asking({ vpn: 'app:2' }))).toMatchObject([
      {
        path: 'containers.app.network_mode',
        desired: 'service:vpn',
        actual: 'that of a container before it',
        cause: 'spec',
        effect: 'replace',
      },
      { path: 'containers.vpn.image', cause: 'spec', effect: 'replace' },
    ]);
    expect((await provider.update(asking({ vpn: 'app:2' }), signal)).outcome).toBe('done');
    expect(named(engine, app)?.id).not.toBe(before);
    expect(holderOf(engine, app)).toBe(vpn);
    expect(engine.containers.size).toBe(2);
    const firstStop = changes.findIndex((change) => change.startsWith('stop '));
    expect(changes.slice(0, firstStop)).toContain(`start ${app}_next`);
    expect(await changesOf(provider, asking({ vpn: 'app:2' }))).toEqual([]);
  });

  it('is replaced alone, beside that, where that stays as it is', async () => {
    const { engine, provider } = await running();
    const holder = named(engine, vpn)?.id;
    await provider.update(asking({ app: 'app:2' }), signal);
    expect(named(engine, app)?.body.Image).toBe('app:2');
    expect([holderOf(engine, app), named(engine, vpn)?.id]).toEqual([vpn, holder]);
  });

  it('runs on with it where its successor fails', async () => {
    const { engine, provider } = await running();
    const ids = [named(engine, vpn)?.id, named(engine, app)?.id];
    expect((await provider.update(asking({ vpn: 'crash:1' }), signal)).outcome).toBe('rolled_back');
    expect([named(engine, vpn)?.id, named(engine, app)?.id]).toEqual(ids);
    expect([...engine.containers.values()].map(({ state }) => state)).toEqual(['running', 'running']);
  });

  it('is stopped before that where one port can not be had twice, and both run again where that was in vain', async () => {
    const ports = [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' as const }];
    const spec = (image: string) =>
      tenantSpec(inVpn, {
        containers: [containerSpec('app'), containerSpec('vpn', { image, ports })],
      });
    const { engine, provider, changes } = await running(spec('app:1'));
    const ids = [named(engine, vpn)?.id, named(engine, app)?.id];
    expect((await provider.update(spec('crash:1'), signal)).outcome).toBe('rolled_back');
    expect(changes.filter((change) => /^(stop|start) /.test(change)).slice(0, 3)).toEqual([
      expect.stringMatching(`^stop ${app} `),
      expect.stringMatching(`^stop ${vpn} `),
      `start ${vpn}_next`,
    ]);
    expect([named(engine, vpn)?.id, named(engine, app)?.id]).toEqual(ids);
    expect(changes.filter((change) => /^start [^_]+$/.test(change)).slice(-2)).toEqual([
      `start ${vpn}`,
      `start ${app}`,
    ]);
    expect((await provider.update(spec('app:2'), signal)).outcome).toBe('done');
    expect([named(engine, app)?.state, holderOf(engine, app)]).toEqual(['running', vpn]);
  });

  it('is started anew where that was: it would be without a network', async () => {
    const { engine, provider, changes } = await running();
    const holder = named(engine, vpn);
    await engine.stopContainer(holder?.id ?? '', 1, consent, signal);
    changes.length = 0;
    await engine.startContainer(holder?.id ?? '', signal);
    expect(await changesOf(provider)).toMatchObject([
      { path: 'containers.app', actual: 'cut off from service:vpn', cause: 'drift', effect: 'gap' },
    ]);
    await provider.update(asking(), signal);
    expect(changes.slice(1)).toEqual([expect.stringMatching(`^stop ${app} `), `start ${app}`]);
    expect(await changesOf(provider)).toEqual([]);
  });

  it('is made anew where that was removed, which comes first', async () => {
    const { engine, provider, changes } = await running();
    const lost = named(engine, vpn)?.id ?? '';
    await engine.removeContainer(lost, consent, signal);
    changes.length = 0;
    await provider.update(asking(), signal);
    expect(changes.slice(0, 4)).toEqual([
      `create ${vpn}`,
      `create ${app}_next`,
      `start ${vpn}`,
      `start ${app}_next`,
    ]);
    expect([named(engine, app)?.state, holderOf(engine, app)]).toEqual(['running', vpn]);
    expect(engine.containers.size).toBe(2);
    expect(await changesOf(provider)).toEqual([]);
  });

  it('is left by a replacement', async () => {
    const { engine, provider } = await running();
    const apart = tenantSpec({}, { containers: [containerSpec('app'), containerSpec('vpn')] });
    const holder = named(engine, vpn)?.id;
    await provider.update(apart, signal);
    expect(named(engine, app)?.hostConfig.NetworkMode).toBe('landlord-acme');
    expect(named(engine, vpn)?.id).toBe(holder);
  });

  it('is ended before that, and nothing is left', async () => {
    const { engine, provider, changes } = await running();
    const place = provider.bare.desired(asking());
    expect((await provider.bare.destroy(place, permitUpTo('outage'), signal)).outcome).toBe('gone');
    expect(changes.filter((change) => change.startsWith('stop ')).map((one) => one.split(' ')[1])).toEqual([
      app,
      vpn,
    ]);
    expect(engine.containers.size).toBe(0);
  });

  it('is in that of its own replica', async () => {
    const engine = memoryEngine(['app:1']);
    await drivenDocker(engine).provision({ ...asking(), replicas: 2 }, signal);
    expect([holderOf(engine, app), holderOf(engine, `${app}_2`)]).toEqual([vpn, `${vpn}_2`]);
  });

  it('has its release in it, too, after that is started', async () => {
    const { engine, provider, changes } = await running();
    const spec = {
      ...asking({ app: 'app:2', vpn: 'app:2' }),
      release: { container: 'app', args: ['migrate'] },
    };
    await provider.update(spec, signal);
    const release = named(engine, `${app}.release_next`);
    expect(release?.hostConfig.NetworkMode).toBe(`container:${named(engine, `${vpn}_next`)?.id}`);
    Object.assign(release ?? {}, { state: 'exited', exitCode: 0 });
    await provider.update(spec, signal);
    expect([named(engine, app)?.body.Image, holderOf(engine, app)]).toEqual(['app:2', vpn]);
    expect(changes.filter((change) => change === `create ${app}.release_next`)).toHaveLength(1);
  });
});

describe('is refused with words', () => {
  const port = { containerPort: 80, protocol: 'TCP' as const };
  const refusal = (
    options: Parameters<typeof tenantSpec>[0],
    over: { readonly app?: Over; readonly vpn?: Over } = {},
  ) => {
    const containers = [containerSpec('app', over.app), containerSpec('vpn', over.vpn)];
    const spec = tenantSpec(options, { containers });
    const policy = { allow_host_network: true, allow_networks: ['*'] };
    return () => drivenDocker(memoryEngine([]), settings({}, policy)).bare.desired(spec);
  };
  const joining = { containers: { app: { network_mode: 'service:vpn' } } };

  it.each([
    [
      'ports, which are the other one’s',
      refusal(joining, { app: { ports: [port] } }),
      "container app: ports can't be published with network_mode service:vpn. Name them at vpn, whose they are",
    ],
    [
      'networks',
      refusal({ containers: { app: { network_mode: 'service:vpn', networks: ['proxy'] } } }),
      "container app: networks can't be joined with network_mode service:vpn. Leave one of them out",
    ],
    [
      'a hostname',
      refusal(joining, { app: { hostname: 'web' } }),
      "container app: hostname can't be set with network_mode service:vpn, which has its own. Leave it out",
    ],
    [
      'one that there is not',
      refusal({ containers: { app: { network_mode: 'service:nobody' } } }),
      'container app: network_mode service:nobody: it is none of the others: name one of vpn',
    ],
    [
      'itself',
      refusal({ containers: { app: { network_mode: 'service:app' } } }),
      'container app: network_mode service:app: it is none of the others: name one of vpn',
    ],
    [
      'one that has none of its own',
      refusal({ containers: { app: { network_mode: 'service:vpn' }, vpn: { network_mode: 'host' } } }),
      'container app: network_mode service:vpn: vpn itself has network_mode host. Say that of app',
    ],
    [
      'one that ends',
      refusal(joining, { vpn: { restartPolicy: 'Never' } }),
      'container app: network_mode service:vpn: vpn is a job, which ends (restartPolicy). Have it run on',
    ],
    [
      'one that waits for it',
      refusal(joining, { vpn: { dependsOn: [{ container: 'app' }] } }),
      'container app: network_mode service:vpn: vpn waits for it (dependsOn), and has to begin before it. Leave that out',
    ],
  ])('%s', (_what, desire, message) => {
    expect(desire).toThrow(message);
  });
});
