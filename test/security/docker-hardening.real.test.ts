import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { dockerTestBench, isReady, settled, statusWhere } from '../compute/providers/docker/docker-bench.ts';
import type { DockerTestBench } from '../compute/providers/docker/docker-bench.ts';
import { until } from '../until.ts';
import { containerSpec } from '../compute/providers/docker/docker-fixture.ts';
import { driven } from '../compute/driven-provider.ts';

/** What a container can do to its host, on the engine itself. */

const signal = new AbortController().signal;
const images = { app: '', flood: '', checked: '' };
let bench: DockerTestBench;
let host = '';

beforeAll(async () => {
  const registry = { address: inject('registryAddress') };
  images.app = await pushImage(registry, { repository: 'hardening', tag: '1' });
  images.flood = await pushImage(registry, {
    repository: 'hardening',
    tag: 'flood',
    command: ['flood', '200'],
  });
  images.checked = await pushImage(registry, {
    repository: 'hardening',
    tag: 'checked',
    healthCheck: { Test: ['CMD', '/bin/ok'], Interval: 1e6, Retries: 2 },
  });
  host = await mkdtemp(join(tmpdir(), 'landlord-host-'));
  bench = dockerTestBench(
    {},
    {
      allow_capabilities: ['NET_RAW'],
      allow_unlimited: true,
      allowed_host_paths: [host],
      allow_devices: ['/dev/null'],
      allow_security_opt: ['seccomp=unconfined'],
    },
  );
  for (const image of Object.values(images)) await bench.pull(image);
});
afterAll(async () => {
  await bench.close();
  await rm(host, { recursive: true, force: true });
});

async function running(tenantId: string, config: Record<string, unknown> = {}) {
  const provider = driven(bench.provider());
  const wanted = (over: Record<string, unknown>) => bench.spec(tenantId, { image: images.app, ...over });
  const update = async (over: Record<string, unknown>): Promise<void> => {
    const spec = wanted(over);
    await settled(() => provider.provision(spec, signal));
    await statusWhere(() => provider.getStatus(spec, { fresh: true, signal }), isReady);
  };
  await update(config);
  return { update, name: `${bench.prefix}-tenant-${tenantId}` };
}

/** Bytes of its log on the disk of the engine. */
async function logBytes(container: string): Promise<number> {
  const { LogPath } = await bench.docker.getContainer(container).inspect();
  const files = (await readdir(dirname(LogPath))).filter((file) => file.startsWith(basename(LogPath)));
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(dirname(LogPath), file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe.concurrent('a container on a real engine', () => {
  it('has the capabilities of the default set, and no way to more', async () => {
    const { name } = await running('confined');
    const status = await bench.run(name, 'read', '/proc/self/status');
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5, SETGID 6, SETUID 7, SETPCAP 8, NET_BIND_SERVICE 10, SYS_CHROOT 18.
    const bits = [0, 1, 3, 4, 5, 6, 7, 8, 10, 18].reduce((mask, bit) => mask | (1 << bit), 0);
    expect(status).toMatch(new RegExp(`^CapBnd:\\s*${bits.toString(16).padStart(16, '0')}$`, 'm'));
    expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
    // The engine's own filter.
    expect(status).toMatch(/^Seccomp:\s*2$/m);
  });

  it('opens no raw socket, and sends no ARP, unless it was granted', async () => {
    const { name, update } = await running('raw');
    expect((await bench.run(name, 'raw-socket')).split('\n').toSorted()).toEqual([
      'arp operation not permitted',
      'icmp operation not permitted',
    ]);
    await update({ cap_add: ['NET_RAW'] });
    expect((await bench.run(name, 'raw-socket')).split('\n').toSorted()).toEqual(['arp <nil>', 'icmp <nil>']);
  });

  it('has of the host what the options of its container say, by the word of the engine', async () => {
    const app = {
      network_mode: 'none',
      devices: ['/dev/null:/dev/nothing:r'],
      security_opt: ['seccomp:unconfined'],
      ipc_mode: 'shareable',
      logging: { driver: 'local', options: { 'max-size': '1m' } },
    };
    const { name } = await running('options', { containers: { app } });
    expect((await bench.docker.getContainer(name).inspect()).HostConfig).toMatchObject({
      NetworkMode: 'none',
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/nothing', CgroupPermissions: 'r' }],
      SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'],
      IpcMode: 'shareable',
      LogConfig: { Type: 'local', Config: { 'max-size': '1m', 'max-file': '3' } },
    });
    expect(await bench.run(name, 'read', '/proc/self/status')).toMatch(/^Seccomp:\s*0$/m);
  });

  it('comes to an end with a fork bomb at its limit of processes, which can be changed while it runs', async () => {
    const { name, update } = await running('bomb', { pids_limit: 64 });
    const { Id } = await bench.docker.getContainer(name).inspect();
    const bomb = await bench.run(name, 'fork-bomb');
    expect(bomb).toContain('resource temporarily unavailable');
    const started = (output: string): number => Number(/^(\d+) processes$/m.exec(output)?.[1]);
    expect(started(bomb)).toBeLessThan(64);
    // Threads count, too: on a busy machine a process has more of them, and fewer processes fit below a limit.
    const files = ['/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max'];
    const limits = async () => Promise.all(files.map(async (file) => bench.run(name, 'read', file)));
    await update({ pids_limit: 128 });
    expect(await limits()).toContain('128');
    await update({ unlimited: ['pids'] });
    expect(await limits()).toContain('max');
    expect((await bench.docker.getContainer(name).inspect()).Id).toBe(Id);
  });

  it('that fails for want of a capability is told of with the rule, by its own output', async () => {
    const provider = driven(bench.provider());
    const containers = [containerSpec('app', { image: images.app, args: ['raw-socket'] })];
    const spec = bench.spec('needy', { restart_policy: 'no' }, { containers });
    await settled(() => provider.provision(spec, signal));
    const look = () => provider.getStatus(spec, { fresh: true, signal });
    const { message } = await statusWhere(look, ({ compute }) => compute.state === 'failed');
    expect(message).toContain(
      'container app exited with code 1 (by its output, it may need a capability by cap_add, which policy.docker.allow_capabilities allows): ',
    );
  });

  it('reads a path of the host that is allowed, writes nothing there, and makes none', async () => {
    await writeFile(join(host, 'file'), 'hello');
    const volumes = [`${host}:/host:ro`];
    const { name } = await running('reader', { volumes });
    expect(await bench.run(name, 'read', '/host/file')).toBe('hello');
    expect(await bench.run(name, 'write', '/host/file', 'x')).toContain('read-only file system');
    const missing = running('maker', { volumes: [`${host}/missing:/host:ro`] });
    await expect(missing).rejects.toThrow(/bind source path does not exist/);
    expect(await readdir(host)).toEqual(['file']);
  });

  it('is checked each second where its image wants to be each millisecond', async () => {
    const { name } = await running('checked', { image: images.checked });
    expect((await bench.docker.getContainer(name).inspect()).Config.Healthcheck).toMatchObject({
      Test: ['CMD', '/bin/ok'],
      Interval: 1e9,
      Retries: 2,
    });
  });

  it('leaves 30 MB on the disk of the 200 MB that it logs', async () => {
    const { name } = await running('flood', { image: images.flood });
    // It serves once all is said.
    await until('all is logged', async () => (await bench.run(name, 'check')) === 'ok');
    const bytes = await logBytes(name);
    expect(bytes).toBeGreaterThan(10_000_000);
    expect(bytes).toBeLessThan(32_000_000);
  });
});
