import { describe, expect, it } from 'vitest';
import { createBody } from '../../../../../src/compute/providers/docker/converge/create-body.ts';
import { desiredTenant } from '../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { SecretValue } from '../../../../../src/compute/spec/secret-value.ts';
import type {
  ContainerSpec,
  TenantComputeSpec,
} from '../../../../../src/compute/spec/tenant-compute-spec.ts';
import type { DockerConfig } from '../../../../../src/compute/providers/docker/config.ts';
import { containerProcess, processVolumes } from '../../../container-process.ts';
import { containerSpec, openPolicy, settings, tenantSpec } from '../docker-fixture.ts';

type Spec = TenantComputeSpec<DockerConfig>;
const desire = (spec: Spec, block = {}, policy = {}) => desiredTenant(spec, settings(block, policy));
const only = (spec: Spec) => {
  const [container] = desire(spec).containers;
  if (container === undefined) throw new Error('no container');
  return container;
};
const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string });

const web = containerSpec('web', {
  image: 'registry.example/app:1.4',
  command: ['/app'],
  args: ['serve'],
  env: [
    { name: 'LOG_LEVEL', value: 'info' },
    { name: 'PASSWORD', secretKeyRef: { name: 'db', key: 'password' }, secret: new SecretValue('hunter2') },
  ],
  ports: [
    { name: 'http', containerPort: 8080, hostPort: 18080, protocol: 'TCP' },
    { containerPort: 53, protocol: 'UDP' },
  ],
  healthCheck: { command: ['/bin/ok'], intervalSeconds: 2, retries: 3, startPeriodSeconds: 10 },
  resources: { cpu: '500m', memory: '256Mi' },
});

it('the request that creates a container is the one in the golden file', async () => {
  const spec = tenantSpec(
    { volumes: ['data:/data', '/srv/x:/x:ro'], labels: { team: 'a' }, restart_policy: 'on-failure' },
    { containers: [web, containerSpec('db')] },
  );
  const desired = desire(spec, {}, { allowed_host_paths: ['/srv'] });
  const bodies = Object.fromEntries(
    desired.containers.map((container) => [container.engineName, createBody(container)]),
  );
  const golden = new URL('create-body.golden', import.meta.url);
  await expect(`${JSON.stringify(bodies, null, 2)}\n`).toMatchFileSnapshot(golden.pathname);
});

it('a secret stands in the environment alone: not in the labels, nor in what is printed of a desire', () => {
  const desired = desire(tenantSpec({}, { containers: [web] }));
  const [container] = desired.containers;
  expect(JSON.stringify([container?.labels, container?.spec, desired.placement])).not.toContain('hunter2');
  expect(container === undefined ? [] : createBody(container).Env).toContain('PASSWORD=hunter2');
});

it('a secret whose value is missing is SecretNotFound, with its name', () => {
  const env = [{ name: 'P', secretKeyRef: { name: 'db', key: 'password' } }];
  const container = only(tenantSpec({}, { containers: [containerSpec('app', { env })] }));
  expect(() => createBody(container)).toThrow(refused('SecretNotFound', /Secret db/));
});

it('a container port is published on each host port that is asked for', () => {
  const ports = [8080, 8081].map((host_port) => ({ container_port: 80, host_port }));
  expect(createBody(only(tenantSpec({ ports }))).HostConfig?.PortBindings).toEqual({
    '80/tcp': [
      { HostIp: '127.0.0.1', HostPort: '8080' },
      { HostIp: '127.0.0.1', HostPort: '8081' },
    ],
  });
});

describe('what a process is given', () => {
  const process = { ...containerProcess, extraHosts: [{ hostname: 'db', ip: 'host-gateway' }] };
  const made = (over: Partial<ContainerSpec> | undefined, config = {}, policy = {}) =>
    desire(
      tenantSpec(config, { containers: [containerSpec('web', over)], volumes: processVolumes }),
      {},
      policy,
    ).containers[0];

  it('stands in the request, in the words of the engine', () => {
    const container = made(process);
    expect(container && createBody(container)).toMatchObject({
      WorkingDir: '/srv',
      User: '1000:1000',
      StopSignal: 'SIGINT',
      StopTimeout: 60,
      Hostname: 'web',
      Tty: true,
      OpenStdin: true,
      HostConfig: {
        Init: true,
        ReadonlyRootfs: true,
        ShmSize: 268_435_456,
        Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 2048 }],
        ExtraHosts: ['db:host-gateway'],
        Dns: ['10.0.0.2'],
        CapDrop: ['ALL'],
        CapAdd: ['NET_BIND_SERVICE'],
        Sysctls: { 'net.core.somaxconn': '1024' },
      },
    });
    expect(container?.labels['landlord.stop_grace']).toBe('60');
  });

  it('is no other container where it says what is so anyway', () => {
    const said = {
      init: false,
      readOnlyRootFilesystem: false,
      tty: false,
      stdin: false,
      ulimits: [],
      extraHosts: [],
      dns: [],
      capabilities: { add: ['CHOWN' as const], drop: ['NET_RAW' as const] },
      sysctls: [],
    };
    expect(made(said)?.hashes).toEqual(made({})?.hashes);
    expect(made({ init: true })?.hashes).toEqual(made({}, { init: true })?.hashes);
    expect(made({ init: false }, { init: true })?.hashes).toEqual(made({})?.hashes);
  });

  it.each([
    ['host', { hostname: 'web' }, /container web: hostname can't be set with network_mode host/],
    [
      'host',
      { sysctls: [{ name: 'net.core.somaxconn', value: '1024' }] },
      /container web: sysctl net.core.somaxconn can't be set with network_mode host/,
    ],
    [
      'container:other',
      { dns: ['10.0.0.2'] },
      /container web: dns can't be set with network_mode container:other/,
    ],
    [
      'container:other',
      { extraHosts: [{ hostname: 'db', ip: '10.0.0.1' }] },
      /container web: extraHosts can't be set with network_mode container:other/,
    ],
  ])('may not be the network of another one: %s', (network_mode, over, message) => {
    const policy = { allow_host_network: true, allow_join_network: true };
    expect(() => made(over, { network_mode }, policy)).toThrow(refused('InvalidSpec', message));
  });
});

it("an empty command leaves the image's own", () => {
  const containers = [containerSpec('app', { command: [], args: ['serve'] })];
  expect(createBody(only(tenantSpec({}, { containers })))).not.toHaveProperty('Entrypoint');
});

it('a port of the block is published where it says, and a secret without a value is no secret to keep', () => {
  const ports = [{ container_port: 80, host_port: 8080 }, { container_port: 81 }];
  expect(only(tenantSpec({ ports })).spec.ports).toEqual([
    { containerPort: 80, hostPort: 8080, protocol: 'TCP' },
    { containerPort: 81, protocol: 'TCP' },
  ]);
  const ref = { secretKeyRef: { name: 's', key: 'k' } };
  const env = [
    { name: 'A', ...ref },
    { name: 'B', ...ref, secret: new SecretValue('hunter2') },
    { name: 'C', value: 'x' },
  ];
  expect(desire(tenantSpec({}, { containers: [containerSpec('app', { env })] })).secrets).toEqual([
    'hunter2',
  ]);
});

it('a port of the block in the words of compose is the same port', () => {
  const ports = (...all: Record<string, unknown>[]) => tenantSpec({ ports: all });
  const compose = ports(
    { container_port: 80, host_port: 0, protocol: 'tcp' },
    { container_port: 53, protocol: 'udp' },
  );
  const own = ports({ container_port: 80 }, { container_port: 53, protocol: 'UDP' });
  expect(only(compose).spec.ports).toEqual([
    { containerPort: 80, protocol: 'TCP' },
    { containerPort: 53, protocol: 'UDP' },
  ]);
  expect(desire(compose)).toEqual(desire(own));
});

describe('names', () => {
  it('one container bears the tenant, several bear their own name, too', () => {
    expect(only(tenantSpec()).engineName).toBe('landlord-tenant-acme');
    const several = desire(tenantSpec({}, { containers: [containerSpec('a'), containerSpec('b')] }));
    expect(several.containers.map(({ engineName }) => engineName)).toEqual([
      'landlord-tenant-acme.a',
      'landlord-tenant-acme.b',
    ]);
    expect(several.containers[0]?.network).toEqual({ kind: 'private', name: 'landlord-acme' });
  });

  it('the placement is all that destroy needs', () => {
    expect(desire(tenantSpec(), { label_prefix: 'll' }).placement).toEqual({
      provider: 'docker',
      labelPrefix: 'll',
      tenantId: 'acme',
    });
  });
});

describe('limits', () => {
  it.each([
    [
      "the container's own",
      { containers: [containerSpec('a', { resources: { cpu: '2' } })], resources: { cpu: '1' } },
      2e9,
    ],
    ["the tenant's", { containers: [containerSpec('a')], resources: { cpu: '1' } }, 1e9],
    ["the block's", {}, 25e7],
  ])('%s come before those that are more general', (_whose, over, nanoCpus) => {
    expect(only(tenantSpec({ resources: { cpu: '250m' } }, over)).live.nanoCpus).toBe(nanoCpus);
  });
});

describe('volumes and labels of one container', () => {
  const two = { containers: [containerSpec('app'), containerSpec('db')] };
  const options = (app: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    tenantSpec({ ...more, containers: { app } }, two);

  it('are its own, beside those of all', () => {
    const spec = options(
      { volumes: ['data:/data', '/srv/app:/conf:ro'], labels: { team: 'b', own: 'x' } },
      { volumes: ['all:/all'], labels: { team: 'a' } },
    );
    const [app, db] = desire(spec, {}, { allowed_host_paths: ['/srv'] }).containers;
    expect(app?.volumes.map(({ target }) => target)).toEqual(['/all', '/data', '/conf']);
    expect(db?.volumes.map(({ target }) => target)).toEqual(['/all']);
    expect(app?.labels).toMatchObject({ team: 'b', own: 'x' });
    expect(db?.labels).toMatchObject({ team: 'a' });
    expect(db?.labels).not.toHaveProperty('own');
  });

  it('leave the hash of its siblings', () => {
    const hashes = (spec: Spec) => desire(spec).containers.map(({ labels }) => labels['landlord.spec_hash']);
    const [app, db] = hashes(options({ volumes: ['data:/data'], labels: { own: 'x' } }));
    const [appBefore, dbBefore] = hashes(tenantSpec({}, two));
    expect(app).not.toBe(appBefore);
    expect(db).toBe(dbBefore);
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['a path of the host', { volumes: ['/srv/app:/conf'] }, 'PolicyDenied', 'allowed_host_paths'],
    [
      'a place that is taken',
      { volumes: ['x:/all'] },
      'InvalidSpec',
      'spec.computeConfig.docker.containers.app.volumes[0]: mounts /all, which another volume mounts already',
    ],
    [
      'a label of ours',
      { labels: { 'landlord.owner': 'me' } },
      'PolicyDenied',
      'spec.computeConfig.docker.containers.app.labels: landlord.owner starts with landlord',
    ],
  ])('are refused with %s', (_what, app, code, text) => {
    expect(() => desire(options(app, { volumes: ['all:/all'] }))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    );
  });

  it('need no leave where the operator names them', () => {
    const app = { volumes: ['/srv/app:/conf'] };
    expect(desire(options(app), { containers: { app } }).containers[0]?.volumes).toMatchObject([
      { source: '/srv/app', target: '/conf' },
    ]);
  });
});

describe('the hash of a container', () => {
  const hash = (spec: Spec): string | undefined => only(spec).labels['landlord.spec_hash'];
  const container = (over: Parameters<typeof containerSpec>[1]) =>
    hash(tenantSpec({}, { containers: [containerSpec('app', over)] }));

  it.each<[string, Record<string, unknown>]>([
    ['the image', { image: 'app:2' }],
    ['the environment', { env: { A: '1' } }],
    ['a port', { ports: [{ container_port: 80 }] }],
    ['a volume', { volumes: ['data:/data'] }],
    ['the network', { network_mode: 'none' }],
    ['a label', { labels: { team: 'a' } }],
    ['a capability', { cap_add: ['NET_RAW'] }],
    ['new privileges', { no_new_privileges: false }],
    ['the bounds of its log', { unlimited: ['log'] }],
    ['an init', { init: true }],
    ['an option of the one container', { containers: { app: { ipc_mode: 'shareable' } } }],
    ['the network of the one container', { containers: { app: { network_mode: 'none' } } }],
    ['a volume of the one container', { containers: { app: { volumes: ['data:/data'] } } }],
    ['a label of the one container', { containers: { app: { labels: { team: 'a' } } } }],
    ['the log of the one container', { containers: { app: { logging: { driver: 'local' } } } }],
  ])('changes with %s', (_what, config) => {
    const free = { allow_capabilities: ['NET_RAW'], allow_setuid: true, allow_unlimited: true };
    const [made] = desire(tenantSpec(config), {}, free).containers;
    expect(made?.labels['landlord.spec_hash']).toMatch(/^v2:/);
    expect(made?.labels['landlord.spec_hash']).not.toBe(hash(tenantSpec()));
  });

  it('changes with a secret value, the command, the arguments and the health check', () => {
    const secret = (value: string) => ({
      env: [{ name: 'A', secretKeyRef: { name: 's', key: 'k' }, secret: new SecretValue(value) }],
    });
    const check = { command: ['/ok'], intervalSeconds: 1, retries: 1, startPeriodSeconds: 0 };
    const all = [
      {},
      secret('one'),
      secret('two'),
      { command: ['a'] },
      { args: ['a'] },
      { healthCheck: check },
    ];
    expect(new Set(all.map(container)).size).toBe(all.length);
  });

  it('stays with options that say what is so anyway', () => {
    const app = { privileged: false, devices: [], security_opt: ['no-new-privileges:true'] };
    expect(hash(tenantSpec({ containers: { app } }))).toBe(hash(tenantSpec()));
    const [one, other] = ['/dev/a:rwm', '/dev/b'].map((text) => [text, text.replace(':rwm', '')]);
    const devices = (...all: (string | undefined)[]) => tenantSpec({ containers: { app: { devices: all } } });
    const open = { allow_devices: ['/dev/*'] };
    expect(desire(devices(one?.[0], other?.[0]), {}, open).specHash).toBe(
      desire(devices(other?.[1], one?.[1]), {}, open).specHash,
    );
  });

  it('stays with limits, restart policy, the order of variables and the name of a port', () => {
    const live = { resources: { cpu: '1' }, restart_policy: 'no', pids_limit: 64 };
    expect(hash(tenantSpec(live))).toBe(hash(tenantSpec()));
    const [a, b] = [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ];
    expect(container({ env: [a, b] })).toBe(container({ env: [b, a] }));
    const port = { containerPort: 80, protocol: 'TCP' } as const;
    expect(container({ ports: [port] })).toBe(container({ ports: [{ ...port, name: 'http' }] }));
  });

  it('stays with the order of volumes, and, where nothing is published, with the bind address', () => {
    const volumes = ['b:/b', 'a:/a'];
    expect(hash(tenantSpec({ volumes }))).toBe(hash(tenantSpec({ volumes: volumes.toReversed() })));
    const bound = { port_bind_address: '0.0.0.0' };
    expect(desire(tenantSpec(), bound).specHash).toBe(desire(tenantSpec()).specHash);
    const published = tenantSpec({ ports: [{ container_port: 80 }] });
    expect(desire(published, bound).specHash).not.toBe(desire(published).specHash);
  });

  it('of before still holds for a job that has ended, where what it covered besides is not felt', () => {
    const spec = tenantSpec({ volumes: ['b:/b', 'a:/a'] });
    const bound = { port_bind_address: '0.0.0.0' };
    const [container] = desire(spec, bound).containers;
    // Made by the version before, of the same spec.
    const before = 'v1:0dbe9e054b5191546b32a30f0ad37bf6';
    expect(container?.earlierHashes.get('cluster-1')?.former).toContain(before);
    expect(container?.hashes.get('cluster-1')?.former).not.toContain(before);
  });

  it('is made once where the version before made the same', () => {
    const hashes = desire(tenantSpec({ volumes: ['a:/a', 'b:/b'] })).containers[0]?.earlierHashes;
    expect(hashes?.get('cluster-1')?.former).toHaveLength(1);
  });

  it('differs with several host ports for one container port, and not with their order', () => {
    const ports = [8080, 8081].map((host_port) => ({ container_port: 80, host_port }));
    expect(hash(tenantSpec({ ports }))).toBe(hash(tenantSpec({ ports: ports.toReversed() })));
    expect(hash(tenantSpec({ ports }))).not.toBe(hash(tenantSpec({ ports: ports.slice(0, 1) })));
  });

  it('takes an empty command and empty arguments for none', () => {
    expect(container({ command: [], args: [] })).toBe(container({}));
  });

  it('differs between clusters, and is known for those that are adopted', () => {
    const [adopting] = desire(tenantSpec(), { adopt_clusters: ['cluster-0'] }).containers;
    expect([...(adopting?.hashes.keys() ?? [])]).toEqual(['cluster-1', 'cluster-0']);
    expect(new Set([...(adopting?.hashes.values() ?? [])].map(({ now }) => now)).size).toBe(2);
  });

  it('of the whole tenant changes with limits: a rejected spec is mended by more memory', () => {
    expect(desire(tenantSpec({ resources: { memory: '1Gi' } })).specHash).not.toBe(
      desire(tenantSpec()).specHash,
    );
  });
});

describe('a hash stands in the labels of running containers: it stays what it was for', () => {
  const everything = tenantSpec(
    { volumes: ['data:/data', '/srv/x:/x:ro'], labels: { team: 'a' }, restart_policy: 'no' },
    { containers: [web, containerSpec('db')] },
  );
  const block = {
    env: { B: '2', A: '1' },
    ports: [
      { container_port: 80, host_port: 8080 },
      { container_port: 53, protocol: 'UDP' },
    ],
    resources: { cpu: '500m', memory: '64Mi' },
  };
  it.each<[string, Spec, hashes: readonly string[], former: readonly string[]]>([
    [
      'a container of which nothing is said',
      tenantSpec(),
      ['v2:76613273217b85baf35231399ce547a3', 'v2:9bc7901fe96811d5601b3719a213e69c'],
      ['v1:27f5126af7f36ecd7db522f345f5bdd3', 'v1:9bc7901fe96811d5601b3719a213e69c'],
    ],
    [
      'a container of which all is said, and one beside it',
      everything,
      [
        'v2:32b09ce6909ea856adf95896830127bb.ee353224.7bb26df28991be634a80e5cd87b9481b',
        'v2:db31522d4f132e039b833889fc78716a.ee353224.f58e1413b988f718d6dd9cbd0f536084',
        'v2:e2ed47ca02e76405990357e55465f1c0',
      ],
      [
        'v1:d619f62bfbc19698a9f73b07c918f2fa',
        'v1:f6c9d8f724839723648ef0258413f965',
        'v1:e2ed47ca02e76405990357e55465f1c0',
      ],
    ],
    [
      'a container that the block describes',
      tenantSpec(block),
      ['v2:69786269235d75bfa1b77b8a10cae8bd', 'v2:f01b4239a7122057c5c539b7cf6dd409'],
      ['v1:7887e22936e7861cf526fac02232a2e4', 'v1:f01b4239a7122057c5c539b7cf6dd409'],
    ],
  ])('%s', (_what, spec, hashes, former) => {
    const desired = desire(spec, { network_name: 'bridge' }, { allowed_host_paths: ['/srv'] });
    const made = desired.containers.map(({ labels }) => labels['landlord.spec_hash']);
    expect([desired.specHash, ...made]).toEqual(hashes);
    const before = desired.containers.map((one) => one.hashes.get('cluster-1')?.former[0]);
    expect([desired.former?.hashes[0], ...before]).toEqual(former);
  });

  it('a container in a network of its own', () => {
    expect(only(tenantSpec()).labels['landlord.spec_hash']).toBe('v2:f64fa2d5f774c130e3479030c583548b');
  });
});

describe('what can not be is InvalidSpec', () => {
  it.each<[string, Spec, RegExp]>([
    ['no image at all', { ...tenantSpec(), config: {} }, /docker\.image/],
    [
      'one host port twice',
      tenantSpec(
        {},
        {
          containers: ['a', 'b'].map((name) =>
            containerSpec(name, { ports: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }] }),
          ),
        },
      ),
      /8080\/TCP is asked for twice, by the containers a and b/,
    ],
    [
      'a port without a network',
      tenantSpec({ network_mode: 'none', ports: [{ container_port: 80 }] }),
      /network_mode none/,
    ],
  ])('%s', (_what, spec, message) => {
    expect(() => desire(spec)).toThrow(refused('InvalidSpec', message));
  });

  it('the same host port for TCP and UDP is no contradiction', () => {
    const ports = (['TCP', 'UDP'] as const).map((protocol) => ({
      containerPort: 53,
      hostPort: 5353,
      protocol,
    }));
    expect(() => desire(tenantSpec({}, { containers: [containerSpec('dns', { ports })] }))).not.toThrow();
  });
});

describe('policy', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ["the host's network", { network_mode: 'host' }, /policy\.docker\.allow_host_network/],
    ["another container's network", { network_mode: 'container:db' }, /policy\.docker\.allow_join_network/],
    ["the owner's labels", { labels: { 'landlord.owner': 'me' } }, /landlord\.owner/],
    ['the docker socket', { volumes: ['/var/run/docker.sock:/s'] }, /policy\.docker\.allowed_host_paths/],
  ])('refuses %s by default', (_what, config, message) => {
    expect(() => desire(tenantSpec(config))).toThrow(refused('PolicyDenied', message));
  });

  it('allows what the operator allows, and what it says itself', () => {
    const host = tenantSpec({ network_mode: 'host' });
    expect(() => desire(host, {}, { allow_host_network: true })).not.toThrow();
    expect(() => desire(host, { network_mode: 'host' })).not.toThrow();
    expect(() =>
      desire(tenantSpec({ network_mode: 'container:db' }), {}, { allow_join_network: true }),
    ).not.toThrow();
  });

  it('holds the container that a block describes to the common rules, too', () => {
    const rules = { ...settings(), commonPolicy: { ...openPolicy, allowed_images: ['registry.example/*'] } };
    expect(() => desiredTenant(tenantSpec(), rules)).toThrow(refused('PolicyDenied', /allowed_images/));
    const bound = { ...openPolicy, max_resources: { cpu: '1', memory: '' } };
    expect(() => desiredTenant(tenantSpec(), { ...rules, commonPolicy: bound })).toThrow(
      /max_resources\.cpu/,
    );
  });
});
