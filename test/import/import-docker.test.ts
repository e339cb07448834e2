import { describe, expect, test } from 'vitest';
import { schema } from '../convert/compose-fixture.ts';
import { readEngine } from '../../src/import/docker/read-engine.ts';
import { importDocker } from '../../src/import/docker/import-docker.ts';
import { engineWith, imageId, imported } from './found-fixture.ts';
import type { Held } from './found-fixture.ts';

const web = (rest: Omit<Held, 'name'> = {}): Held => ({ name: 'web', ...rest });
const plain = { name: 'web', image: 'app:1', restartPolicy: 'Always' };

test('a container that names nothing is its image', async () => {
  expect(await imported([web()], {}, schema)).toEqual({ spec: { containers: [plain] }, notes: [] });
});

describe('a setting of Config is said', () => {
  test.each<[what: string, config: Record<string, unknown>, said: Record<string, unknown>]>([
    ['arguments alone', { Cmd: ['other'] }, { args: ['other'] }],
    ['a program without arguments', { Entrypoint: ['/x'], Cmd: null }, { command: ['/x'] }],
    ['a program with arguments', { Entrypoint: ['/x'], Cmd: ['a'] }, { command: ['/x'], args: ['a'] }],
    ["the image's program without its arguments", { Cmd: null }, { command: ['/app'] }],
    ["a program in place of the image's", { Entrypoint: null, Cmd: ['/y', 'b'] }, { command: ['/y', 'b'] }],
    ['a variable, as it is', { Env: ['PATH=/bin', 'A=$B ${C}'] }, { env: [{ name: 'A', value: '$B ${C}' }] }],
    ['a user', { User: '7:8' }, { user: '7:8' }],
    ['a folder', { WorkingDir: '/srv' }, { workingDir: '/srv' }],
    ['a name of its own', { Hostname: 'db1' }, { hostname: 'db1' }],
    [
      'how it is stopped',
      { StopSignal: 'SIGQUIT', StopTimeout: 30 },
      { stopSignal: 'SIGQUIT', stopGracePeriodSeconds: 30 },
    ],
    ['a terminal', { Tty: true, OpenStdin: true }, { tty: true, stdin: true }],
    [
      'a check, with what the engine has where it names nothing',
      { Healthcheck: { Test: ['CMD', '/ok'], Interval: 2_500_000_000 } },
      {
        healthCheck: { command: ['/ok'], intervalSeconds: 2.5, timeoutSeconds: 30, retries: 3 },
      },
    ],
    ['no check', { Healthcheck: { Test: ['NONE'] } }, { healthCheck: { disable: true } }],
  ])('%s', async (_what, config, said) => {
    expect(await imported([web({ config })], {}, schema)).toEqual({
      spec: { containers: [{ ...plain, ...said }] },
      notes: [],
    });
  });

  test('but not where it is what the image says', async () => {
    const both = {
      User: '7',
      StopSignal: 'SIGQUIT',
      Labels: { a: 'b' },
      Healthcheck: { Test: ['CMD', '/ok'] },
      Volumes: { '/data': {} },
    };
    const Config = { ...both, Env: ['PATH=/bin'], Cmd: ['serve'], WorkingDir: '/', Entrypoint: ['/app'] };
    const { spec } = await imported([web({ config: both, image: { Config } })], {}, schema);
    expect(spec).toEqual({ containers: [plain] });
  });
});

describe('a setting of HostConfig is said', () => {
  test.each<[what: string, host: Record<string, unknown>, said: Record<string, unknown>]>([
    [
      'memory and its swap',
      { Memory: 536_870_912, MemorySwap: 1_073_741_824 },
      { resources: { memory: '512Mi' } },
    ],
    ['cores', { NanoCpus: 1_500_000_000 }, { resources: { cpu: '1.5' } }],
    ['shared memory', { ShmSize: 134_217_728 }, { shmSize: '128Mi' }],
    [
      'limits',
      { Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }] },
      { ulimits: [{ name: 'nofile', soft: 1, hard: 2 }] },
    ],
    ['a job', { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } }, { restartPolicy: 'Never' }],
    [
      'ports',
      {
        PortBindings: {
          '80/tcp': [{ HostIp: '', HostPort: '8080' }],
          '53/udp': [{ HostIp: '', HostPort: '' }],
        },
      },
      {
        ports: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 53, protocol: 'UDP' },
        ],
      },
    ],
    ['a file system that is read only', { ReadonlyRootfs: true }, { readOnlyRootFilesystem: true }],
    ['an init', { Init: true }, { init: true }],
    ['names of hosts', { ExtraHosts: ['a:10.0.0.1'] }, { extraHosts: [{ hostname: 'a', ip: '10.0.0.1' }] }],
    ['name servers', { Dns: ['1.1.1.1'] }, { dns: ['1.1.1.1'] }],
    [
      'sysctls',
      { Sysctls: { 'net.core.somaxconn': '9' } },
      { sysctls: [{ name: 'net.core.somaxconn', value: '9' }] },
    ],
    ['fewer capabilities', { CapDrop: ['CAP_CHOWN'] }, { capabilities: { drop: ['CHOWN'] } }],
  ])('%s', async (_what, host, said) => {
    expect(await imported([web({ host })], {}, schema)).toEqual({
      spec: { containers: [{ ...plain, ...said }] },
      notes: [],
    });
  });

  test.each<[what: string, host: Record<string, unknown>, said: Record<string, unknown>, note: RegExp]>([
    ['privileged', { Privileged: true }, { privileged: true }, /^needs services\.web\.privileged: policy\./],
    [
      'devices',
      { Devices: [{ PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rwm' }] },
      { devices: ['/dev/a:/dev/b'] },
      /^needs services\.web\.devices: policy\.docker\.allow_devices: \[\/dev\/a\]/,
    ],
    [
      'GPUs',
      { DeviceRequests: [{ Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']], Options: {} }] },
      { gpus: 'all' },
      /^needs services\.web\.gpus: policy/,
    ],
    ['the IPC of the host', { IpcMode: 'host' }, { ipc_mode: 'host' }, /allow_host_ipc/],
  ])("%s, in the provider's block", async (_what, host, said, note) => {
    const { spec, notes } = await imported([web({ host })], {}, schema);
    expect(spec).toMatchObject({ computeConfig: { docker: { containers: { web: said } } } });
    expect(notes).toEqual([expect.stringMatching(note)]);
  });

  test("logs, networks, labels in the provider's block need nobody", async () => {
    const held = web({
      config: { Labels: { team: 'a', 'com.docker.compose.project': 'x' } },
      host: {
        LogConfig: { Type: 'local', Config: { 'max-size': '5m' } },
        NetworkMode: 'none',
        PidsLimit: 100,
      },
    });
    const { spec, notes } = await imported([held], {}, schema);
    expect(spec['computeConfig']).toEqual({
      docker: {
        labels: { team: 'a' },
        network_mode: 'none',
        pids_limit: 100,
        containers: { web: { logging: { driver: 'local', options: { 'max-size': '5m' } } } },
      },
    });
    expect(notes).toEqual(['changed services.web.labels: left out: the marks of what runs it now']);
  });
});

describe('what no field of a Tenant says is told', () => {
  test.each<[host: Record<string, unknown>, note: RegExp]>([
    [{ PidMode: 'host' }, /^dropped services\.web\.pid: pid host/],
    [{ UTSMode: 'host' }, /^dropped services\.web\.uts: no field of a Tenant says it$/],
    [{ GroupAdd: ['7'] }, /^dropped services\.web\.group_add: no field/],
    [{ DnsSearch: ['x'] }, /^dropped services\.web\.dns_search: no field/],
    [{ Runtime: 'kata' }, /^dropped services\.web\.runtime: no field/],
    [{ MaskedPaths: [] }, /^dropped services\.web\.security_opt: systempaths=unconfined/],
    [{ SecurityOpt: ['seccomp={"a":1}'] }, /^dropped services\.web\.security_opt: a seccomp profile/],
    [{ DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['x'] }] }, /^dropped services\.web\.devices: /],
    [{ Brandnew: { a: 1 } }, /^dropped services\.web\.HostConfig\.Brandnew: no field of a Tenant says it$/],
    [{ Links: ['/old:/web/db'] }, /^dropped services\.web\.external_links: no field/],
    [
      { NetworkMode: 'container:gone' },
      /^needs services\.web\.network_mode: policy\.docker\.allow_join_network/,
    ],
    [{ CpuShares: 5 }, /^changed services\.web\.cpu_shares: left out: how the host shares/],
    [{ CpuQuota: 50_000 }, /^changed services\.web\.cpu_quota: said as cpus/],
    [{ CgroupnsMode: 'host' }, /^changed services\.web\.cgroup: /],
    [{ AutoRemove: true }, /^changed services\.web: it is not removed/],
    [{ MemorySwap: -1 }, /^changed services\.web\.memswap_limit: /],
  ])('%j', async (host, note) => {
    const { notes } = await imported([web({ host })], {}, schema);
    expect(notes).toEqual([expect.stringMatching(note)]);
  });

  test('a variable of the image that was taken away', async () => {
    const { notes } = await imported([web({ config: { Env: [] } })], {}, schema);
    expect(notes).toEqual([expect.stringMatching(/^dropped services\.web\.environment\.PATH: /)]);
  });

  test('a container that does not run', async () => {
    const { notes } = await imported([web({ running: false })], {}, schema);
    expect(notes).toEqual(['changed services.web: it does not run now, and it would']);
  });
});

describe('an image', () => {
  test('whose name means another one by now', async () => {
    const { spec, notes } = await imported([web()], { meant: 'sha256:other' }, schema);
    expect(spec.containers).toEqual([plain]);
    expect(notes).toEqual([
      `changed services.web.image: app:1 means sha256:other by now, and ${imageId} runs`,
    ]);
  });

  test('that was named by its id is called by its name', async () => {
    const { spec, notes } = await imported([web({ config: { Image: imageId } })], {}, schema);
    expect([spec.containers, notes]).toEqual([[plain], []]);
  });

  test('without a name makes no Tenant', async () => {
    const image = { RepoTags: [], RepoDigests: [] };
    const { spec, notes } = await imported([web({ config: { Image: imageId }, image })], {}, schema);
    expect(spec).toBeUndefined();
    expect(notes).toEqual([expect.stringMatching(/^refused services\.web\.image: .*: tag and push it/)]);
  });

  test('that comes from no registry is needed in one', async () => {
    const { notes } = await imported([web({ image: { RepoDigests: [] } })], {}, schema);
    expect(notes).toEqual(['needs services.web.image: app:1 in a registry: the engine has it from none']);
  });

  test('that has a port is no job while it runs', async () => {
    const image = {
      Config: {
        Entrypoint: ['/app'],
        Cmd: ['serve'],
        Env: ['PATH=/bin'],
        WorkingDir: '/',
        ExposedPorts: { '80/tcp': {} },
      },
    };
    const host = { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } };
    const serving = await imported([web({ image, host })], {}, schema);
    expect(serving.spec.containers).toEqual([plain]);
    expect(serving.notes).toEqual([expect.stringMatching(/^changed services\.web\.restart: it is a server/)]);
    const done = await imported([web({ image, host, running: false })], {}, schema);
    expect(done.spec.containers).toEqual([{ ...plain, restartPolicy: 'Never' }]);
  });
});

test('what is mounted is what it was, and what is in it is needed', async () => {
  const anonymous = 'a'.repeat(64);
  const mounts = [
    { Type: 'volume', Name: 'proj_data', Source: '/x', Destination: '/data', RW: true },
    { Type: 'volume', Name: anonymous, Source: '/x', Destination: '/own', RW: true },
    { Type: 'volume', Name: 'b'.repeat(64), Source: '/x', Destination: '/of-image', RW: true },
    {
      Type: 'bind',
      Source: '/etc/conf',
      Destination: '/conf',
      RW: false,
      Mode: 'ro,Z',
      Propagation: 'rslave',
    },
    { Type: 'tmpfs', Destination: '/tmp', RW: true },
  ];
  const host = {
    Tmpfs: { '/run': 'size=1m' },
    Mounts: [{ Type: 'tmpfs', Target: '/tmp', TmpfsOptions: { SizeBytes: 1_048_576 } }],
  };
  const image = {
    Config: {
      Entrypoint: ['/app'],
      Cmd: ['serve'],
      Env: ['PATH=/bin'],
      WorkingDir: '/',
      Volumes: { '/of-image': {} },
    },
  };
  const volumes = { proj_data: { Driver: 'nfs', Labels: { 'com.docker.compose.volume': 'data' } } };
  const { spec, notes } = await imported([web({ mounts, host, image })], { volumes }, schema);
  expect(spec).toMatchObject({
    containers: [
      {
        volumeMounts: [
          { name: 'data', mountPath: '/data' },
          { name: 'web-own', mountPath: '/own' },
          { name: 'web-tmp', mountPath: '/tmp' },
          { name: 'web-run', mountPath: '/run' },
        ],
      },
    ],
    volumes: [
      { name: 'data', persistent: {} },
      { name: 'web-own', persistent: {} },
      { name: 'web-tmp', tmpfs: { size: '1048576' } },
      { name: 'web-run', tmpfs: { size: '1Mi' } },
    ],
    computeConfig: { docker: { volumes: ['/etc/conf:/conf:ro,Z'] } },
  });
  expect(notes).toEqual([
    expect.stringMatching(/^needs services\.web\.volumes: what is in \/own: /),
    expect.stringMatching(/^needs services\.web\.volumes: what is in \/of-image: /),
    expect.stringMatching(/^dropped services\.web\.volumes: \/conf: propagation rslave/),
    'needs services.web.volumes[2]: policy.docker.allowed_host_paths with {path: /etc/conf, relabel: true}',
    expect.stringMatching(/^needs volumes\.data\.external: what is in data: /),
    expect.stringMatching(/^dropped volumes\.data\.driver: /),
  ]);
});

describe('several containers', () => {
  const ofProject = (service: string, more: Record<string, string> = {}) => ({
    'com.docker.compose.project': 'shop',
    'com.docker.compose.oneoff': 'False',
    'com.docker.compose.service': service,
    'com.docker.compose.config-hash': service,
    'com.docker.compose.container-number': '1',
    ...more,
  });
  const named = { shop_default: { Driver: 'bridge', Containers: {} } };
  const noted = (notes: readonly string[]) => notes.filter((line) => !line.includes('.labels: left out'));

  test('of a compose project are its services, which wait for each other and know each other by name', async () => {
    const held: Held[] = [
      {
        name: 'shop-my_db-1',
        config: { Labels: ofProject('my_db'), Env: ['PATH=/bin'] },
        networks: { shop_default: { Aliases: ['my_db', 'database'] } },
      },
      {
        name: 'storefront',
        config: {
          Labels: ofProject('web', { 'com.docker.compose.depends_on': 'my_db:service_healthy:false' }),
          Env: ['PATH=/bin', 'DB_URL=pg://my_db:5432/my_db', 'OTHER_HOST=database'],
        },
        networks: { shop_default: { Aliases: ['web', 'storefront'] } },
      },
    ];
    const { spec, notes } = await imported(held, { networks: named }, schema);
    expect(spec.containers).toEqual([
      { ...plain, name: 'my-db' },
      {
        ...plain,
        name: 'web',
        env: [
          { name: 'DB_URL', value: 'pg://my-db:5432/my_db' },
          { name: 'OTHER_HOST', value: 'my-db' },
        ],
        dependsOn: [{ container: 'my-db', condition: 'Healthy' }],
      },
    ]);
    expect(noted(notes)).toEqual([
      'changed services.web.environment: hosts are named as their containers are',
      'changed services.my_db: its container is called my-db',
      expect.stringMatching(/^changed services\.web\.container_name: left out: /),
    ]);
  });

  test('of a project are found by its name, in an order of their own; those that compose ran once are not', async () => {
    const held: Held[] = [
      { name: 'b', config: { Labels: ofProject('b') } },
      { name: 'a', config: { Labels: ofProject('a') } },
      { name: 'once', config: { Labels: ofProject('a', { 'com.docker.compose.oneoff': 'True' }) } },
      { name: 'alien', config: { Labels: ofProject('c', { 'com.docker.compose.project': 'x' }) } },
    ];
    const engine = engineWith(held, {});
    const wanted = { names: [], project: 'shop' };
    const found = await readEngine(engine, wanted, new AbortController().signal);
    expect([...found.containers.keys()]).toEqual(['a', 'b']);
    const none = readEngine(engine, { names: [], project: 'y' }, new AbortController().signal);
    await expect(none).rejects.toThrow(
      'the engine at unix:///engine.sock has no containers of the compose project y',
    );
  });

  test('of one service are its replicas', async () => {
    const held = ['2', '1'].map((number): Held => ({
      name: `shop-web-${number}`,
      config: { Labels: ofProject('web', { 'com.docker.compose.container-number': number }) },
    }));
    const { spec, notes } = await imported(held);
    expect(spec).toEqual({ replicas: 2, containers: [plain] });
    expect(noted(notes)).toEqual([]);
  });

  test('in a network of others stay in it, where policy allows that', async () => {
    const networks = { proxy: { Driver: 'bridge', Containers: { other: {} } } };
    const held = web({ networks: { proxy: { Aliases: ['web', 'shop'] } } });
    const { spec, notes } = await imported([held], { networks }, schema);
    expect(spec).toMatchObject({
      computeConfig: {
        docker: { containers: { web: { networks: ['proxy'], network_aliases: { proxy: ['shop'] } } } },
      },
    });
    expect(notes).toEqual([
      'needs services.web.networks.proxy: policy.docker.allow_networks: [proxy]',
      'changed services.web.networks.proxy: others there know no web: say network_aliases where they name it',
      'needs services.web.networks.proxy.aliases: policy.docker.allow_network_aliases: [proxy/shop]',
    ]);
  });

  test('that share a network are told so', async () => {
    const held: Held[] = [web(), { name: 'side', host: { NetworkMode: 'container:web' } }];
    const { spec, notes } = await imported(held, {}, schema);
    expect(spec.computeConfig).toEqual({
      docker: { containers: { side: { network_mode: 'service:web' } } },
    });
    expect(noted(notes)).toEqual([]);
  });

  test('that links name by another name are named as they are', async () => {
    const held: Held[] = [
      { name: 'db' },
      web({ host: { Links: ['/db:/web/postgres'] }, config: { Env: ['PATH=/bin', 'HOST=postgres'] } }),
    ];
    const { spec } = await imported(held, {}, schema);
    expect(spec.containers[1]).toMatchObject({ env: [{ name: 'HOST', value: 'db' }] });
  });
});

test('one that is not there ends with its name', async () => {
  const read = readEngine(
    engineWith([web()], {}),
    { names: ['web', 'wbe'], project: undefined },
    new AbortController().signal,
  );
  await expect(read).rejects.toThrow('the engine at unix:///engine.sock has no container wbe');
});

test('what runs now is told to stay', async () => {
  const wanted = { names: ['web'], project: undefined };
  const found = await readEngine(engineWith([web()], {}), wanted, new AbortController().signal);
  expect(importDocker('acme', found, schema).notes).toEqual([
    expect.objectContaining({
      kind: 'changed',
      from: 'services',
      text: expect.stringMatching(/stays until/),
    }),
  ]);
});
