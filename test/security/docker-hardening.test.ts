import { describe, expect, it } from 'vitest';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { dockerRequest, dockerRequests } from './docker-requests.ts';
import type { DockerOperatorOptions as Operator } from './docker-operator.ts';

/** What a container gets of its host: little by default, more where the operator's policy says so. */

type Block = Readonly<Record<string, unknown>>;

const leastCapabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

const hostConfig = async (block: Block, operator: Operator = {}) =>
  (await dockerRequest(block, operator)).HostConfig ?? {};

describe('a container that asks for nothing', () => {
  it('is confined: few capabilities, no new privileges, bounded processes and logs', async () => {
    expect(await hostConfig({})).toMatchObject({
      Privileged: false,
      CapDrop: ['ALL'],
      CapAdd: leastCapabilities,
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: 1024,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    });
  });

  it('is as confined where the Tenant has several', async () => {
    const containers = [
      { name: 'app', image: 'app:1' },
      { name: 'db', image: 'db:1' },
    ];
    const bodies = await dockerRequests({ containers });
    expect(bodies).toHaveLength(2);
    for (const { HostConfig } of bodies) {
      expect(HostConfig).toMatchObject({ CapDrop: ['ALL'], CapAdd: leastCapabilities, PidsLimit: 1024 });
    }
  });

  it('has no init that it did not ask for, and the engine keeps its own seccomp profile', async () => {
    const config = await hostConfig({});
    expect(config.Init).toBeUndefined();
    expect(config.SecurityOpt).toEqual(['no-new-privileges']);
    expect((await hostConfig({ init: true })).Init).toBe(true);
  });

  it('gets no devices, no namespace of the host, and none of another container', async () => {
    const reach = ['Devices', 'DeviceRequests', 'DeviceCgroupRules', 'PidMode', 'IpcMode', 'UsernsMode'];
    const more = ['UTSMode', 'CgroupParent', 'VolumesFrom', 'Sysctls', 'Runtime', 'GroupAdd', 'MaskedPaths'];
    const keys = Object.keys(await hostConfig({}));
    expect(keys.filter((key) => [...reach, ...more].includes(key))).toEqual([]);
  });
});

const byDefault: Operator = {};
const policy = (docker: Block): Operator => ({ policy: { docker } });

describe('what goes beyond that', () => {
  it.each<[string, Block, RegExp, Operator]>([
    ['a capability', { cap_add: ['NET_RAW'] }, /allow_capabilities: .*NET_RAW/, byDefault],
    ['the capability to be root on the host', { cap_add: ['SYS_ADMIN'] }, /allow_capabilities/, byDefault],
    [
      'a capability beside one that is allowed',
      { cap_add: ['NET_RAW', 'SYS_PTRACE'] },
      /allow_capabilities: .*SYS_PTRACE/,
      policy({ allow_capabilities: ['NET_RAW'] }),
    ],
    ['setuid programs', { no_new_privileges: false }, /allow_setuid/, byDefault],
    ['more processes', { pids_limit: 1025 }, /allow_unlimited/, byDefault],
    ['processes without bound', { unlimited: ['pids'] }, /allow_unlimited/, byDefault],
    ['logs without bound', { unlimited: ['log'] }, /allow_unlimited/, byDefault],
    ['memory without bound', { unlimited: ['memory'] }, /allow_unlimited/, byDefault],
    [
      'one thing without bound, by the rule for another',
      { unlimited: ['cpu'], no_new_privileges: false },
      /allow_unlimited/,
      policy({ allow_setuid: true, allow_capabilities: ['NET_RAW'] }),
    ],
  ])('%s is refused, naming the rule', async (_what, block, rule, operator) => {
    const request = dockerRequest(block, operator);
    await expect(request).rejects.toThrow(/^PolicyDenied: policy\.docker\./);
    await expect(request).rejects.toThrow(rule);
  });

  it.each<[string, Block]>([
    ['all capabilities at once', { cap_add: ['ALL'] }],
    ['a capability by another name', { cap_add: ['CAP_SYS_ADMIN'] }],
    ['a capability in other letters', { cap_add: ['sys_admin'] }],
    ['no bound of processes in so many words', { pids_limit: -1 }],
    ['no bound of processes in the words of the engine', { pids_limit: 0 }],
    ['privileged', { privileged: true }],
    ['a security option', { security_opt: ['seccomp=unconfined'] }],
    ['a device', { devices: ['/dev/sda'] }],
    ["the host's processes", { pid_mode: 'host' }],
    ['a log driver', { logging: { driver: 'syslog' } }],
  ])('%s is no key, or no value, of the block', async (_what, block) => {
    await expect(dockerRequest(block)).rejects.toThrow(/^InvalidSpec: /);
  });

  it('is granted by the rule that was named, and nothing else with it', async () => {
    const raw = await hostConfig({ cap_add: ['NET_RAW'] }, policy({ allow_capabilities: ['NET_RAW'] }));
    expect(raw.CapAdd).toEqual([...leastCapabilities, 'NET_RAW'].toSorted());
    expect(raw.SecurityOpt).toEqual(['no-new-privileges']);
    const setuid = await hostConfig({ no_new_privileges: false }, policy({ allow_setuid: true }));
    expect(setuid.SecurityOpt ?? []).toEqual([]);
    expect(setuid.CapAdd).toEqual(leastCapabilities);
    const free = await hostConfig({ unlimited: ['pids', 'log'] }, policy({ allow_unlimited: true }));
    expect(free.PidsLimit).toBe(-1);
    expect(free.LogConfig).toBeUndefined();
    expect(free.CapAdd).toEqual(leastCapabilities);
    const more = await hostConfig({ pids_limit: 4096 }, policy({ allow_unlimited: true }));
    expect(more.PidsLimit).toBe(4096);
  });

  it('is granted to the namespaces that are named, and to no other', async () => {
    const docker = { allow_capabilities: ['NET_RAW'], allow_setuid: true, allow_unlimited: true };
    const open = (...names: string[]): Operator => ({ policy: { namespaces: [{ names, docker }] } });
    const asked = { cap_add: ['NET_RAW'], no_new_privileges: false, unlimited: ['pids', 'log'] };
    expect((await hostConfig(asked, open('team-a'))).CapAdd).toContain('NET_RAW');
    for (const [key, value] of Object.entries(asked)) {
      await expect(dockerRequest({ [key]: value }, open('team-b'))).rejects.toThrow(/^PolicyDenied: /);
    }
  });

  it('is not given by the rule alone: a Tenant has to ask', async () => {
    const open = { allow_capabilities: ['NET_RAW'], allow_setuid: true, allow_unlimited: true };
    expect(await hostConfig({}, policy(open))).toEqual(await hostConfig({}));
  });

  it('may stand in the operator’s own block, for all Tenants', async () => {
    const docker = { cap_add: ['NET_RAW'], no_new_privileges: false, pids_limit: 4096, unlimited: ['log'] };
    const config = await hostConfig({}, { docker });
    expect(config.CapAdd).toContain('NET_RAW');
    expect(config).toMatchObject({ PidsLimit: 4096 });
    expect(config.SecurityOpt ?? []).toEqual([]);
    const more = dockerRequest({ cap_add: ['NET_RAW', 'NET_ADMIN'] }, { docker });
    await expect(more).rejects.toThrow(/allow_capabilities: .*NET_ADMIN/);
  });

  it('less may be asked for without leave', async () => {
    expect(await hostConfig({ pids_limit: 64, cap_add: ['CHOWN'] })).toMatchObject({
      PidsLimit: 64,
      CapAdd: leastCapabilities,
    });
  });
});

describe('limits that no container names', () => {
  const operator: Operator = { policy: { default_resources: { cpu: '500m', memory: '256Mi' } } };

  it('are those of policy.default_resources', async () => {
    expect(await hostConfig({}, operator)).toMatchObject({ NanoCpus: 5e8, Memory: 2 ** 28 });
    const named = await hostConfig({ resources: { memory: '1Gi' } }, operator);
    expect(named).toMatchObject({ NanoCpus: 5e8, Memory: 2 ** 30 });
    const portable = {
      resources: { cpu: '2' },
      containers: [{ name: 'a', image: 'app:1' }],
    };
    const [body] = await dockerRequests(portable, operator);
    expect(body?.HostConfig).toMatchObject({ NanoCpus: 2e9, Memory: 2 ** 28 });
  });

  it('count where a bound is set for all containers together', async () => {
    const bounded: Operator = {
      policy: { default_resources: { memory: '256Mi' }, max_resources: { memory: '400Mi' } },
    };
    expect(await hostConfig({}, bounded)).toMatchObject({ Memory: 2 ** 28 });
    const containers = ['a', 'b'].map((name) => ({ name, image: 'app:1' }));
    const two = dockerRequests({ containers }, bounded);
    await expect(two).rejects.toThrow(/max_resources\.memory/);
  });

  it('are none where the Tenant asks for none, and may', async () => {
    const open: Operator = { policy: { ...operator.policy, docker: { allow_unlimited: true } } };
    const config = await hostConfig({ unlimited: ['memory'] }, open);
    expect(config).toMatchObject({ NanoCpus: 5e8 });
    expect(config.Memory).toBeUndefined();
  });
});

describe('the health check of an image', () => {
  const second = 1e9;
  const made = async (Healthcheck: object | null, healthCheck?: object) => {
    const engine = memoryEngine(['app:1']);
    const inspect = engine.inspectImage.bind(engine);
    engine.inspectImage = async (...asked) => {
      const image = await inspect(...asked);
      return image && { ...image, Config: { ...image.Config, Healthcheck } as typeof image.Config };
    };
    const containers = [{ name: 'app', image: 'app:1', ...(healthCheck && { healthCheck }) }];
    return (await dockerRequests({ containers }, { engine }))[0]?.Healthcheck;
  };
  const Test = ['CMD', '/check'];

  it.each<[string, object, object]>([
    ['each millisecond', { Interval: 1e6 }, { Interval: second }],
    ['each nanosecond, and less', { Interval: 1, Timeout: -1 }, { Interval: second, Timeout: second }],
    ['each millisecond while it starts', { StartInterval: 1e6 }, { StartInterval: second }],
    ['never', { Interval: 1e18 }, { Interval: 300 * second }],
    ['that starts for a year', { StartPeriod: 3e16 }, { StartPeriod: 300 * second }],
    ['that has no end', { Timeout: 1e18 }, { Timeout: 300 * second }],
    ['that fails a million times', { Retries: 1e6 }, { Retries: 10 }],
    ['that starts before it starts', { StartPeriod: -5 }, { StartPeriod: 1e6 }],
  ])('%s is bounded, and else as the image has it', async (_what, figures, sent) => {
    expect(await made({ Test, ...figures })).toEqual(sent);
  });

  it.each<[string, object | null]>([
    ['there is none', null],
    [
      'it is within bounds',
      { Test, Interval: 5 * second, Timeout: 3 * second, StartPeriod: 60 * second, Retries: 3 },
    ],
    ['it says no figures', { Test }],
    ['it is switched off', { Test: ['NONE'], Interval: 1 }],
  ])('is left alone where %s', async (_what, check) => {
    expect(await made(check)).toBeUndefined();
  });

  it('is gone where the Tenant switches it off', async () => {
    expect(await made({ Test, Interval: 1 }, { disable: true })).toEqual({ Test: ['NONE'] });
  });

  it('lends none of its figures to the one of a Tenant', async () => {
    const own = { command: ['/ok'], intervalSeconds: 5 };
    const asked = await made(null, own);
    expect(asked).toMatchObject({ Test: ['CMD', '/ok'], Interval: 5 * second, StartPeriod: 0 });
    const check = { Test, Interval: 1, StartPeriod: 3e16, StartInterval: 1e6, Retries: 1e6 };
    expect(await made(check, own)).toEqual({ ...asked, StartPeriod: 1e6, StartInterval: second });
  });
});
