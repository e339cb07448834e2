import type Dockerode from 'dockerode';
import { describe, expect, it } from 'vitest';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { dockerRequests } from './docker-requests.ts';
import type { DockerOperatorOptions as Operator } from './docker-operator.ts';

/** What one container of a Tenant may ask of its host, beside others that ask for nothing. */

type Fields = Readonly<Record<string, unknown>>;

const policy = (docker: Fields): Operator => ({ policy: { docker } });

/** Of the container that asks, and of the one that does not. */
async function hostConfigs(fields: Fields, operator: Operator = {}, block: Fields = {}) {
  const containers = [
    { name: 'app', image: 'app:1', ...fields },
    { name: 'db', image: 'db:1' },
  ];
  const bodies = await dockerRequests({ containers, computeConfig: { docker: block } }, operator);
  const [app = {}, db = {}] = bodies.map(({ HostConfig }) => HostConfig);
  return { app, db };
}

describe('capabilities', () => {
  it('are dropped without leave, and added from the default ones again', async () => {
    const { app, db } = await hostConfigs({ capabilities: { add: ['CHOWN'], drop: ['ALL'] } });
    expect([app.CapDrop, app.CapAdd]).toEqual([['ALL'], ['CHOWN']]);
    expect(db.CapAdd).toContain('SETUID');
    const { app: less } = await hostConfigs({ capabilities: { drop: ['SETUID'] } });
    expect(less.CapAdd).toContain('CHOWN');
    expect(less.CapAdd).not.toContain('SETUID');
  });

  it('beyond those need the rule, by name, and are of the one container alone', async () => {
    const asked = { capabilities: { add: ['NET_ADMIN'] } };
    await expect(hostConfigs(asked)).rejects.toThrow(
      /^PolicyDenied: policy\.docker\.allow_capabilities: container app: capabilities\.add .*NET_ADMIN/,
    );
    const { app, db } = await hostConfigs(asked, policy({ allow_capabilities: ['NET_ADMIN'] }));
    expect(app.CapAdd).toContain('NET_ADMIN');
    expect(db.CapAdd).not.toContain('NET_ADMIN');
  });

  it('that all containers have from the block are dropped as well', async () => {
    const operator = policy({ allow_capabilities: ['NET_RAW'] });
    const asked = { capabilities: { drop: ['NET_RAW'] } };
    const { app, db } = await hostConfigs(asked, operator, { cap_add: ['NET_RAW'] });
    expect(app.CapAdd).not.toContain('NET_RAW');
    expect(db.CapAdd).toContain('NET_RAW');
  });
});

describe('sysctls', () => {
  const set = (name: string): Fields => ({ sysctls: [{ name, value: '1' }] });

  it('that do no harm to others need no leave', async () => {
    const { app, db } = await hostConfigs(set('net.ipv4.ip_unprivileged_port_start'));
    expect(app.Sysctls).toEqual({ 'net.ipv4.ip_unprivileged_port_start': '1' });
    expect(db.Sysctls).toBeUndefined();
  });

  it.each<[string, string[]]>([
    ['net.ipv4.ip_forward', ['net.ipv4.*']],
    ['kernel.shmmax', ['kernel.shmmax']],
    ['fs.mqueue.msg_max', ['fs.mqueue.*', 'net.*']],
  ])('%s needs the rule', async (name, allowed) => {
    await expect(hostConfigs(set(name))).rejects.toThrow(
      `PolicyDenied: policy.docker.allow_sysctls: container app: sysctl ${name} `,
    );
    expect((await hostConfigs(set(name), policy({ allow_sysctls: allowed }))).app.Sysctls).toEqual({
      [name]: '1',
    });
  });

  it.each(['net.ipv4', 'net.ipv4.ip_forward2', 'net.core.somaxconn'])(
    'a rule for one name is none for another: %s',
    async (rule) => {
      await expect(
        hostConfigs(set('net.ipv4.ip_forward'), policy({ allow_sysctls: [rule] })),
      ).rejects.toThrow(/allow_sysctls/);
    },
  );

  it('are granted to the namespaces that are named, beside the harmless ones', async () => {
    const docker = { allow_sysctls: ['net.ipv4.ip_forward'] };
    const open = (name: string): Operator => ({ policy: { namespaces: [{ names: [name], docker }] } });
    const asked = {
      sysctls: ['net.ipv4.ip_forward', 'net.core.somaxconn'].map((name) => ({ name, value: '1' })),
    };
    expect(Object.keys((await hostConfigs(asked, open('team-a'))).app.Sysctls ?? {})).toHaveLength(2);
    await expect(hostConfigs(asked, open('team-b'))).rejects.toThrow(/allow_sysctls/);
  });
});

/** The same of the option of one container, which is Docker's alone. */
const withOptions = (options: Fields, operator: Operator = {}, block: Fields = {}) =>
  hostConfigs({}, operator, { containers: { app: options }, ...block });

describe('options of one container', () => {
  const camera = { PathOnHost: '/dev/video0', PathInContainer: '/dev/cam', CgroupPermissions: 'rw' };
  const gpu = { Capabilities: [['gpu']] };
  const asked: readonly [option: Fields, rule: Fields, granted: Fields][] = [
    [{ privileged: true }, { allow_privileged: true }, { Privileged: true }],
    [{ devices: ['/dev/video0:/dev/cam:rw'] }, { allow_devices: ['/dev/video*'] }, { Devices: [camera] }],
    [{ gpus: 'all' }, { allow_gpus: true }, { DeviceRequests: [{ Count: -1, ...gpu }] }],
    [{ gpus: 2 }, { allow_gpus: true }, { DeviceRequests: [{ Count: 2, ...gpu }] }],
    [
      { security_opt: ['seccomp:unconfined', 'label=type:x'] },
      { allow_security_opt: ['seccomp=unconfined', 'label:type:*'] },
      { SecurityOpt: ['no-new-privileges', 'label=type:x', 'seccomp=unconfined'] },
    ],
    [{ security_opt: ['no-new-privileges:false'] }, { allow_setuid: true }, { SecurityOpt: undefined }],
    [{ ipc_mode: 'host' }, { allow_host_ipc: true }, { IpcMode: 'host' }],
    [{ network_mode: 'host' }, { allow_host_network: true }, { NetworkMode: 'host' }],
    [{ network_mode: 'container:web' }, { allow_join_network: true }, { NetworkMode: 'container:web' }],
    [
      { logging: { driver: 'journald', options: { tag: 'app' } } },
      { allow_log_drivers: ['journald'] },
      { LogConfig: { Type: 'journald', Config: { tag: 'app' } } },
    ],
    [
      { logging: { options: { 'max-size': '1g' } } },
      { allow_unlimited: true },
      { LogConfig: { Type: 'json-file', Config: { 'max-size': '1g', 'max-file': '3' } } },
    ],
  ];
  /** One that has a container of somebody else's to join. */
  const engineWithWeb = () => {
    const engine = memoryEngine(['app:1', 'db:1']);
    const inspect = engine.inspectContainer.bind(engine);
    engine.inspectContainer = async (name, signal) =>
      name === 'web' ? ({} as Dockerode.ContainerInspectInfo) : inspect(name, signal);
    return engine;
  };

  it.each(asked)(
    '%o is refused by its rule, and granted by it to that container alone',
    async (option, rule, granted) => {
      const [name = ''] = Object.keys(rule);
      const closed = { ...policy({}), engine: engineWithWeb() };
      await expect(withOptions(option, closed)).rejects.toThrow(
        new RegExp(`^PolicyDenied: policy\\.docker\\.${name}: `),
      );
      const { app, db } = await withOptions(option, { ...policy(rule), engine: engineWithWeb() });
      expect({ SecurityOpt: undefined, ...app }).toMatchObject(granted);
      expect(db).toEqual((await withOptions({})).db);
    },
  );

  it.each(asked)('%o in the operator’s own block needs no rule', async (option, _rule, granted) => {
    const docker = { containers: { app: option, other: { privileged: true } } };
    const { app, db } = await withOptions({}, { docker, engine: engineWithWeb() });
    expect({ SecurityOpt: undefined, ...app }).toMatchObject(granted);
    expect(db.Privileged).toBe(false);
  });

  it('networks of others need the rule, by name', async () => {
    const option = { networks: ['proxy', 'edge_net'] };
    const engine = memoryEngine(['app:1', 'db:1']);
    for (const Name of option.networks) await engine.createNetwork({ Name }, AbortSignal.timeout(1_000));
    const rule = (...allow_networks: string[]) => ({ ...policy({ allow_networks }), engine });
    await expect(withOptions(option, rule('proxy', 'edge'))).rejects.toThrow(
      /^PolicyDenied: policy\.docker\.allow_networks: container app: network edge_net is not allowed/,
    );
    await expect(withOptions(option, rule('proxy', 'edge*'))).resolves.toBeDefined();
    const anyOfThem = policy({ allow_networks: ['*'] });
    await expect(withOptions({ networks: ['none'] }, anyOfThem)).rejects.toThrow(
      'InvalidSpec: container app: networks: none is no network that can be joined. Say network_mode none',
    );
  });

  it('names in networks of others need the rule, by network and name', async () => {
    const option = { networks: ['proxy'], network_aliases: { proxy: ['www', 'api'] } };
    const engine = memoryEngine(['app:1', 'db:1']);
    await engine.createNetwork({ Name: 'proxy' }, AbortSignal.timeout(1_000));
    const rule = (...allow_network_aliases: string[]) => ({
      ...policy({ allow_networks: ['proxy'], allow_network_aliases }),
      engine,
    });
    for (const names of [[], ['proxy/www'], ['other/*'], ['proxy/ap*', 'other/www']])
      await expect(withOptions(option, rule(...names))).rejects.toThrow(
        /^PolicyDenied: policy\.docker\.allow_network_aliases: container app: the name (api|www) in the network proxy is not allowed/,
      );
    await expect(withOptions(option, rule('proxy/www', 'proxy/ap*'))).resolves.toBeDefined();
    const docker = { containers: { app: option } };
    await expect(withOptions({}, { docker, engine })).resolves.toBeDefined();
  });

  it('ports at another address of the host need the rule, or are at the one of all', async () => {
    const at = async (address: string, operator: Operator = {}) => {
      const ports = [{ containerPort: 80 }];
      const block = { containers: { app: { port_bind_address: address } } };
      const { app } = await hostConfigs({ ports }, operator, block);
      return (app.PortBindings as Dockerode.PortMap)['80/tcp']?.[0]?.HostIp;
    };
    expect(await at('127.0.0.1')).toBe('127.0.0.1');
    await expect(at('10.0.0.1')).rejects.toThrow(
      /^PolicyDenied: policy\.docker\.allow_bind_addresses: container app: ports at 10\.0\.0\.1 are not allowed/,
    );
    expect(await at('10.0.0.1', policy({ allow_bind_addresses: ['10.0.0.1'] }))).toBe('10.0.0.1');
    expect(await at('::1', { docker: { port_bind_address: '::1' } })).toBe('::1');
    await expect(at('127.0.0.1', { docker: { port_bind_address: '::1' } })).rejects.toThrow(/^PolicyDenied/);
  });

  it('may be less than the default without leave', async () => {
    const logging = { driver: 'local', options: { 'max-size': '1m', 'max-file': '1' } };
    const options = {
      network_mode: 'none',
      ipc_mode: 'private',
      security_opt: ['no-new-privileges'],
      logging,
    };
    expect(
      (await withOptions(options, policy({ allow_setuid: true }), { no_new_privileges: false })).app,
    ).toMatchObject({
      NetworkMode: 'none',
      IpcMode: 'private',
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'local', Config: { 'max-size': '1m', 'max-file': '1' } },
    });
    expect((await withOptions({ logging: { driver: 'none' } })).app.LogConfig).toEqual({
      Type: 'none',
      Config: {},
    });
  });

  it.each<[string, Fields, RegExp]>([
    [
      'a device behind another path',
      { devices: ['/dev/video/../sda'] },
      /allow_devices: .* \/dev\/sda is not/,
    ],
    ['a driver of logs that sends them elsewhere', { logging: { driver: 'gelf' } }, /allow_log_drivers: /],
    ['logs without bound', { logging: { options: { 'max-size': '-1' } } }, /allow_unlimited: /],
    ['many small logs', { logging: { options: { 'max-file': '4' } } }, /allow_unlimited: .* 4 files of 10m/],
    [
      'logs in the memory of the engine',
      { logging: { options: { 'max-buffer-size': '1g' } } },
      /allow_unlimited/,
    ],
    ['a size that is none', { logging: { options: { 'max-size': 'much' } } }, /InvalidSpec: .*max-size much/],
    ['no log file at all', { logging: { options: { 'max-file': '0' } } }, /InvalidSpec: .*max-file 0/],
    ['the processes of the host', { pid_mode: 'host' }, /^InvalidSpec: .*containers\.app/],
    [
      'a security option that lifts all of them',
      { security_opt: ['systempaths=unconfined'] },
      /^InvalidSpec: /,
    ],
    ['a path that is no device', { devices: ['/etc/shadow'] }, /^InvalidSpec: /],
  ])('%s is refused, whatever else is allowed', async (_what, options, message) => {
    const open = policy({ allow_devices: ['/dev/video*'], allow_log_drivers: ['json-file'] });
    await expect(withOptions(options, open)).rejects.toThrow(message);
  });

  it('of a container that there is not are refused, lest a slip goes unseen', async () => {
    const block = { containers: { ap: { network_mode: 'none' } } };
    await expect(hostConfigs({}, {}, block)).rejects.toThrow(
      /^InvalidSpec: .*there is no container ap\. .*app, db/,
    );
  });

  it('of the host’s memory leave its settings alone', async () => {
    const operator = policy({ allow_host_ipc: true, allow_sysctls: ['kernel.*'] });
    const fields = { sysctls: [{ name: 'kernel.shmmax', value: '1' }] };
    const made = hostConfigs(fields, operator, { containers: { app: { ipc_mode: 'host' } } });
    await expect(made).rejects.toThrow(/^InvalidSpec: .*kernel\.shmmax can't be set with ipc_mode host/);
  });

  it('a network of its own keeps the siblings in theirs', async () => {
    const { app, db } = await withOptions({ network_mode: 'none' });
    expect([app.NetworkMode, db.NetworkMode]).toEqual([
      'none',
      expect.stringMatching(/^landlord-team-a-acme-/),
    ]);
    const publishing = hostConfigs(
      { ports: [{ containerPort: 80 }] },
      {},
      { containers: { app: { network_mode: 'none' } } },
    );
    await expect(publishing).rejects.toThrow(
      /container app: ports can't be published with network_mode none/,
    );
    const beside = { containers: { db: { network_mode: 'none' } } };
    const { app: published } = await hostConfigs({ ports: [{ containerPort: 80 }] }, {}, beside);
    expect(published.PortBindings).toHaveProperty('80/tcp');
  });
});
