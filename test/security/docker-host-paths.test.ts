import { createServer } from 'node:net';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { dockerRequest } from './docker-requests.ts';

/** Paths of the host: what the operator names, as the operator names it, and nothing that leads elsewhere. */

type Allowed = string | { readonly path: string; readonly writable?: boolean };

const mounting = (volume: string, ...allowed_host_paths: Allowed[]) =>
  dockerRequest({ volumes: [volume] }, { policy: { docker: { allowed_host_paths } } });

const mounts = async (volume: string, ...allowed: Allowed[]) => {
  const { Binds = [], Mounts = [] } = (await mounting(volume, ...allowed)).HostConfig ?? {};
  return { Binds, Mounts };
};

const writable = (path: string) => ({ path, writable: true });
const refused = /^PolicyDenied: policy\.docker\.allowed_host_paths: /;

describe('a host path', () => {
  it.each<[string, string, Allowed[]]>([
    ['to be written to, where it may be read', '/srv/a:/x', ['/srv/a']],
    ['to be written to in so many words', '/srv/a:/x:rw', [{ path: '/srv/a', writable: false }]],
    ['to be written to, below one that may be', '/srv/a/b:/x', [writable('/srv/a')]],
    ['to be read, below one that others may write to', '/srv/a/b:/x:ro', [writable('/srv/a')]],
    [
      'to be read, below one that others may write to within a wider one',
      '/srv/a/b:/x:ro',
      ['/srv', writable('/srv/a')],
    ],
    [
      'to be written to, with a path of its own below one',
      '/srv/a/b:/x',
      [writable('/srv/a'), writable('/srv/a/b')],
    ],
    ['to be read, with a path of its own below one', '/srv/a/b:/x:ro', ['/srv/a/b', writable('/srv/a')]],
    ['above what may be written to', '/srv:/x', [writable('/srv/a')]],
    ['beside what may be written to', '/srv/ab:/x', [writable('/srv/a')]],
    ['by ..', '/srv/a/../b:/x', [writable('/srv/a')]],
    ['by .. through what may be read', '/srv/a/../../etc:/x:ro', ['/srv/a']],
    ["that is the engine's socket, in a folder that may be read", '/var/run/docker.sock:/x:ro', ['/var/run']],
    ["that is the engine's socket, by its other name", '/run/docker.sock:/x:ro', ['/run']],
    ["that is the engine's socket, where all may be read", '//run/./docker.sock:/x:ro', ['/']],
    ['with the engine’s socket in it', '/var/run:/x:ro', ['/var']],
    ['with the engine’s socket in it, where all may be read', '/run/:/x:ro', ['/']],
    ['of containerd', '/run/containerd/containerd.sock:/x:ro', ['/run']],
    ['of the engine’s data', '/var/lib/docker/volumes:/x:ro', ['/var/lib']],
    ['of another process', '/proc/1/root:/x:ro', ['/proc']],
    ['of any socket', '/srv/a/app.sock:/x:ro', ['/srv/a']],
    ['to devices', '/dev/sda:/x:ro', ['/']],
  ])('%s is refused, naming the rule', async (_what, volume, allowed) => {
    await expect(mounting(volume, ...allowed)).rejects.toThrow(refused);
  });

  it('that may be written to is the very path, however it is written', async () => {
    expect(await mounts('/srv/a/:/x', writable('/srv/a'))).toEqual({ Binds: ['/srv/a:/x:rw'], Mounts: [] });
    expect(await mounts('//srv/./a:/x:rw', writable('/srv/a//'))).toEqual({
      Binds: ['/srv/a:/x:rw'],
      Mounts: [],
    });
  });

  it.each<[string, string, Allowed[]]>([
    ['itself', '/srv/a:/x:ro', ['/srv/a']],
    ['below it', '/srv/a/b/c:/x:ro', ['/srv/a']],
    ['beside one to write to', '/srv/b:/x:ro', ['/srv', writable('/srv/a')]],
    ['to write to', '/srv/a:/x:ro', [writable('/srv/a')]],
    ["the engine's socket, by name", '/var/run/docker.sock:/x:ro', ['/var/run/docker.sock']],
  ])('to be read may be %s, and is not made where it is not there', async (_what, volume, allowed) => {
    const [Source = '', Target = ''] = volume.split(':');
    expect(await mounts(volume, ...allowed)).toEqual({
      Binds: [],
      Mounts: [{ Type: 'bind', Source, Target, ReadOnly: true }],
    });
  });

  it('below one that another namespace may write to is refused', async () => {
    const namespaces = [{ names: ['team-b'], docker: { allowed_host_paths: [writable('/srv/b')] } }];
    const policy = { docker: { allowed_host_paths: ['/srv'] }, namespaces };
    await expect(dockerRequest({ volumes: ['/srv/b/link:/x:ro'] }, { policy })).rejects.toThrow(refused);
    expect((await dockerRequest({ volumes: ['/srv/c:/x:ro'] }, { policy })).HostConfig?.Mounts).toHaveLength(
      1,
    );
  });

  it('of the operator’s own block needs no leave, and is mounted as it says', async () => {
    const docker = { volumes: ['/var/run/docker.sock:/s'] };
    const { HostConfig } = await dockerRequest({}, { docker });
    expect(HostConfig?.Binds).toEqual(['/var/run/docker.sock:/s:rw']);
    const other = dockerRequest({ volumes: ['/var/run/docker.sock:/t'] }, { docker });
    await expect(other).rejects.toThrow(refused);
  });
});

describe('a path on the operator’s own host', () => {
  let host = '';
  beforeAll(async () => {
    host = await realpath(await mkdtemp(join(tmpdir(), 'landlord-host-')));
    for (const folder of ['shared/app', 'shared/written/by-tenants', 'secret', 'real']) {
      await mkdir(join(host, folder), { recursive: true });
    }
    await writeFile(join(host, 'secret/key'), 'x');
    await symlink(join(host, 'secret'), join(host, 'shared/out'));
    await symlink('../secret/key', join(host, 'shared/key'));
    await symlink(join(host, 'nowhere'), join(host, 'shared/dangling'));
    await symlink('app', join(host, 'shared/inside'));
    await symlink(join(host, 'shared/written/by-tenants'), join(host, 'shared/to-written'));
    await symlink('/proc/1/root', join(host, 'shared/root'));
    await symlink('loop', join(host, 'shared/loop'));
    await symlink(join(host, 'real'), join(host, 'alias'));
  });
  afterAll(() => rm(host, { recursive: true, force: true }));

  const shared = (path: string) => `${join(host, 'shared', path)}:/x:ro`;

  it.each(['out', 'out/key', 'key', 'dangling', 'dangling/more', 'to-written', 'root', 'root/etc', 'loop'])(
    'that is a symbolic link out of what is allowed is refused, and where it leads is not told: %s',
    async (path) => {
      const allowed = [join(host, 'shared'), writable(join(host, 'shared/written'))];
      const asked = mounting(shared(path), ...allowed);
      await expect(asked).rejects.toThrow(refused);
      await expect(asked).rejects.not.toThrow(/secret|nowhere/);
    },
  );

  it.each(['app', 'inside', 'inside/deeper', 'not-there'])(
    'that stays inside is mounted: %s',
    async (path) => {
      const { Mounts } = await mounts(shared(path), join(host, 'shared'));
      expect(Mounts).toHaveLength(1);
    },
  );

  it('may be named by a symbolic link by the operator', async () => {
    expect((await mounts(`${host}/alias:/x:ro`, join(host, 'alias'))).Mounts).toHaveLength(1);
    expect((await mounts(`${host}/alias/file:/x:ro`, join(host, 'alias'))).Mounts).toHaveLength(1);
    expect((await mounts(`${host}/alias:/x`, writable(join(host, 'alias')))).Binds).toHaveLength(1);
  });

  it('by a name that leads to where tenants may write to is refused', async () => {
    const allowed = [writable(join(host, 'shared/written')), writable(join(host, 'shared/to-written'))];
    await expect(mounting(`${host}/shared/to-written:/x`, ...allowed)).rejects.toThrow(refused);
  });

  it('that is a socket is refused, whatever it is called', async () => {
    const server = createServer();
    const path = join(host, 'shared/app/control');
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    try {
      await expect(mounting(shared('app/control'), join(host, 'shared'))).rejects.toThrow(refused);
      expect((await mounts(shared('app/control'), path)).Mounts).toHaveLength(1);
    } finally {
      server.close();
    }
  });

  it('that becomes a link after it was looked at is refused when its container is made', async () => {
    const engine = memoryEngine(['app:1']);
    const inspect = engine.inspectImage.bind(engine);
    const path = join(host, 'shared/swapped');
    await mkdir(path);
    engine.inspectImage = async (...asked) => {
      await rm(path, { recursive: true, force: true });
      await symlink(join(host, 'secret'), path);
      return inspect(...asked);
    };
    const policy = { docker: { allowed_host_paths: [join(host, 'shared')] } };
    const request = dockerRequest({ volumes: [shared('swapped')] }, { policy, engine });
    await expect(request).rejects.toThrow(refused);
    expect(engine.containers.size).toBe(0);
  });

  it('is nothing that can be told of an engine elsewhere: there, it is only read', async () => {
    const engine = { ...memoryEngine(['app:1']), address: 'tcp://10.0.0.1:2376' };
    const policy = { docker: { allowed_host_paths: [join(host, 'shared')] } };
    const { HostConfig } = await dockerRequest({ volumes: [shared('out')] }, { policy, engine });
    expect(HostConfig?.Mounts).toEqual([expect.objectContaining({ ReadOnly: true })]);
    const other = { ...memoryEngine(['app:1']), address: 'tcp://10.0.0.1:2376' };
    const written = dockerRequest({ volumes: [`${host}/shared/app:/x`] }, { policy, engine: other });
    await expect(written).rejects.toThrow(refused);
  });
});
