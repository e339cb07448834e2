import { note } from '../../convert/finding.ts';
import { amount } from '../../convert/read/scalars.ts';
import type { Dict } from '../../convert/read/scalars.ts';
import { said, unsaid } from './config-rows.ts';
import type { Row, Said } from './config-rows.ts';
import type { At, Found } from './found.ts';
import { dicts, isUnset, sizeOf, within, word, words } from './plain.ts';

/** What a container has of its host, and may. */

const as =
  (key: string, read: (value: unknown) => unknown = (value) => value): Row =>
  (value) =>
    said({ [key]: read(value) });

/** `key` where the value is not the one that the engine shows for none. */
const unless =
  (none: readonly unknown[], row: Row): Row =>
  (value, at) =>
    none.includes(value) ? said({}) : row(value, at);

const size = (value: unknown): string => sizeOf(amount(value));
const defaultShmBytes = 67_108_864;

/** Of `HostConfig`. What is in none of these has no words. */
export const hostRows: Readonly<Record<string, Row>> = {
  Memory: as('mem_limit', size),
  NanoCpus: as('cpus', (value) => amount(value) / 1e9),
  CpuQuota: (value, at) => quota(amount(value), at),
  CpuPeriod: unsaid,
  PidsLimit: unless([-1], as('pids_limit')),
  ShmSize: unless([defaultShmBytes], as('shm_size', size)),
  Ulimits: (value) =>
    said({
      ulimits: Object.fromEntries(
        dicts(value).map(({ Name, Soft, Hard }) => [word(Name), { soft: Soft, hard: Hard }]),
      ),
    }),
  RestartPolicy: restart,
  PortBindings: (value, at) => ports(value as Dict, at),
  PublishAllPorts: unsaid,
  NetworkMode: networkMode,
  LogConfig: (value) => logging(value as Dict),
  CapAdd: as('cap_add'),
  CapDrop: as('cap_drop'),
  Privileged: as('privileged'),
  SecurityOpt: securityOptions,
  MaskedPaths: unsaid,
  ReadonlyPaths: unsaid,
  ReadonlyRootfs: as('read_only'),
  Devices: as('devices', (value) => dicts(value).map(device)),
  DeviceRequests: gpus,
  DeviceCgroupRules: as('device_cgroup_rules'),
  Init: as('init'),
  Sysctls: as('sysctls'),
  ExtraHosts: as('extra_hosts'),
  Dns: as('dns'),
  DnsOptions: as('dns_opt'),
  DnsSearch: as('dns_search'),
  GroupAdd: as('group_add'),
  IpcMode: unless(['private'], as('ipc')),
  PidMode: unless(['private'], as('pid')),
  UTSMode: unless(['private'], as('uts')),
  UsernsMode: as('userns_mode'),
  CgroupnsMode: unless(['private'], (_value, { service }) =>
    said({}, note('changed', `services.${service}.cgroup`, "left out: it is as the engine's default is")),
  ),
  Cgroup: as('cgroup'),
  CgroupParent: as('cgroup_parent'),
  Runtime: unless(['runc', 'io.containerd.runc.v2'], as('runtime')),
  Isolation: unless(['default'], as('isolation')),
  StorageOpt: as('storage_opt'),
  Annotations: as('annotations'),
  Links: links,
  MemoryReservation: as('mem_reservation', size),
  // Twice the memory is what the engine itself makes of it.
  MemorySwap: (value, { shown }) =>
    amount(value) === 2 * amount(within(shown, 'HostConfig')['Memory'] ?? 0)
      ? said({})
      : said({ memswap_limit: value }),
  MemorySwappiness: unless([-1], as('mem_swappiness')),
  OomKillDisable: as('oom_kill_disable'),
  OomScoreAdj: as('oom_score_adj'),
  CpuShares: as('cpu_shares'),
  CpusetCpus: as('cpuset'),
  CpusetMems: as('cpuset'),
  CpuRealtimePeriod: as('cpu_rt_period'),
  CpuRealtimeRuntime: as('cpu_rt_runtime'),
  CpuCount: as('cpu_count'),
  CpuPercent: as('cpu_percent'),
  ...Object.fromEntries(
    ['Weight', 'WeightDevice', 'DeviceReadBps', 'DeviceReadIOps', 'DeviceWriteBps', 'DeviceWriteIOps'].map(
      (name) => [`Blkio${name}`, as('blkio_config')],
    ),
  ),
  AutoRemove: (_value, { service }) =>
    said({}, note('changed', `services.${service}`, 'it is not removed when it ends')),
  // What is mounted is read where the engine shows all of it.
  Binds: unsaid,
  Mounts: unsaid,
  Tmpfs: unsaid,
  VolumesFrom: unsaid,
  VolumeDriver: unsaid,
  // Of whoever started it.
  ConsoleSize: unsaid,
  ContainerIDFile: unsaid,
};

/** By a share of time, which is what cpus are. */
function quota(micros: number, { shown, service }: At): Said {
  const period = amount(within(shown, 'HostConfig')['CpuPeriod'] ?? 0) || 100_000;
  const from = `services.${service}.cpu_quota`;
  return micros < 0
    ? said({})
    : said({ cpus: micros / period }, note('changed', from, 'said as cpus, which it comes to'));
}

/** One that runs and has a port or a check, be it by its image, is no job: it does not end by itself. */
function restart(value: unknown, { shown, image, service }: At): Said {
  const { Name, MaximumRetryCount: most } = value as Dict;
  const policy = word(Name) || 'no';
  const configs = [within(shown, 'Config'), within(image, 'Config')];
  const isServer = ['ExposedPorts', 'Healthcheck'].some((key) => configs.some((one) => !isUnset(one[key])));
  const isRunning = within(shown, 'State')['Running'] === true;
  if (isServer && isRunning && (policy === 'no' || policy === 'on-failure'))
    return said(
      { restart: 'unless-stopped' },
      note(
        'changed',
        `services.${service}.restart`,
        'it is a server, so it is started again whenever it ends',
      ),
    );
  return said({ restart: isUnset(most) ? policy : `${policy}:${amount(most)}` });
}

function ports(bindings: Dict, { shown }: At): Said {
  const bound = Object.entries(bindings).flatMap(([port, hosts]) =>
    (isUnset(hosts) ? [{}] : dicts(hosts)).map((host) => portOf(port, host)),
  );
  return said({ ports: [...bound, ...allPorts(bindings, shown)] });
}

/** All that the image exposes, where that was asked for. */
function allPorts(bindings: Dict, shown: Dict): readonly Dict[] {
  if (within(shown, 'HostConfig')['PublishAllPorts'] !== true) return [];
  const exposed = Object.keys(within(within(shown, 'Config'), 'ExposedPorts'));
  return exposed.filter((port) => !(port in bindings)).map((port) => portOf(port, {}));
}

function portOf(port: string, { HostIp, HostPort }: Dict): Dict {
  const [target = '', protocol = 'tcp'] = port.split('/');
  const isEverywhere = ['', '0.0.0.0', '::'].includes(word(HostIp));
  return {
    target,
    protocol,
    ...(isUnset(HostPort) || HostPort === '0' ? {} : { published: HostPort }),
    ...(isEverywhere ? {} : { host_ip: HostIp }),
  };
}

/** That of a network with a name is read where the networks are. */
function networkMode(value: unknown, { joined, found }: At): Said {
  const mode = word(value);
  if (joined !== undefined)
    return said({
      network_mode: `${serviceCalled(joined, found) === undefined ? 'container' : 'service'}:${joined}`,
    });
  return said(mode === 'host' || mode === 'none' ? { network_mode: mode } : {});
}

function logging({ Type, Config }: Dict): Said {
  if (Type === 'json-file' && isUnset(Config)) return said({});
  return said({ logging: { driver: Type, ...(isUnset(Config) ? {} : { options: Config }) } });
}

function securityOptions(value: unknown, { service }: At): Said {
  // A whole profile stands in the option.
  const [profiles, others] = [true, false].map((isProfile) =>
    words(value).filter((option) => /^seccomp[:=]\s*\{/.test(option) === isProfile),
  );
  return said(
    { security_opt: others },
    ...(profiles ?? []).map(() =>
      note(
        'dropped',
        `services.${service}.security_opt`,
        'a seccomp profile: no field of a Tenant holds one',
      ),
    ),
  );
}

function device({ PathOnHost, PathInContainer, CgroupPermissions }: Dict): string {
  const [host, inside, rights] = [PathOnHost, PathInContainer, CgroupPermissions].map(word);
  return `${host}${inside === host ? '' : `:${inside}`}${rights === 'rwm' || rights === '' ? '' : `:${rights}`}`;
}

function gpus(value: unknown, { service }: At): Said {
  const wishes = dicts(value);
  const isOfGpus = ({ Capabilities }: Dict): boolean => JSON.stringify(Capabilities ?? '').includes('gpu');
  const others = wishes.filter((wish) => !isOfGpus(wish));
  const asked = wishes.filter(isOfGpus).map(({ Count, DeviceIDs, Options }) => ({
    ...(isUnset(Count) ? {} : { count: Count }),
    ...(isUnset(DeviceIDs) ? {} : { device_ids: DeviceIDs }),
    ...(isUnset(Options) ? {} : { options: Options }),
  }));
  return said(
    asked.length === 0 ? {} : { gpus: asked },
    ...others.map(() =>
      note('dropped', `services.${service}.devices`, 'devices of a driver: no field of a Tenant says it'),
    ),
  );
}

/** `/db:/web/alias`, which is how containers knew each other before networks had names. */
function links(value: unknown, { found }: At): Said {
  const all = words(value).map((line) => {
    const [to = '', as = ''] = line.split(':');
    return [to.slice(1), as.slice(as.lastIndexOf('/') + 1)] as const;
  });
  const known = all.map(([name, alias]) => ({ service: serviceCalled(name, found), name, alias }));
  return said({
    links: known
      .filter(({ service }) => service !== undefined)
      .map(({ service, alias }) => `${service}:${alias}`),
    external_links: known
      .filter(({ service }) => service === undefined)
      .map(({ name, alias }) => `${name}:${alias}`),
  });
}

/** What is found as a service, by the engine's name of its container. */
function serviceCalled(name: string, { containers }: Found): string | undefined {
  return [...containers].find(([, container]) => container.name === name)?.[0];
}
