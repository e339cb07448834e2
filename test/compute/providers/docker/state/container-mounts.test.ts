import { describe, expect, it } from 'vitest';
import { createBody } from '../../../../../src/compute/providers/docker/converge/create-body.ts';
import { desiredTenant } from '../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { SecretValue } from '../../../../../src/compute/spec/secret-value.ts';
import type { ContainerSpec, VolumeSpec } from '../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, settings, tenantSpec } from '../docker-fixture.ts';

type Mounts = NonNullable<ContainerSpec['volumeMounts']>;

const data: VolumeSpec = { name: 'data', kind: 'persistent' };
const tmp: VolumeSpec = { name: 'tmp', kind: 'tmpfs', size: '64Mi' };
const files = (content: string | SecretValue, mode = 0o644): VolumeSpec => ({
  name: 'files',
  kind: 'files',
  from: 'ConfigMap app',
  files: [{ path: 'a', mode, content }],
});

/** Of two containers, the first with these mounts. */
function desire(volumeMounts: Mounts, volumes: readonly VolumeSpec[], config = {}, over = {}) {
  const containers = [containerSpec('app', { volumeMounts, ...over }), containerSpec('db')];
  return desiredTenant(tenantSpec(config, { containers, volumes }), settings()).containers;
}

function hostConfigOf(...asked: Parameters<typeof desire>) {
  const [container] = desire(...asked);
  return container && createBody(container).HostConfig;
}

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'InvalidSpec', message: expect.stringMatching(message) as string });

describe('what a container mounts', () => {
  it('stands in the request, in the words of the engine, of that container alone', () => {
    const mounts = [
      { name: 'data', mountPath: '/data/' },
      { name: 'data', mountPath: '/again', readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ];
    expect(hostConfigOf(mounts, [data, tmp])).toMatchObject({
      Binds: ['landlord-acme_data:/data:rw', 'landlord-acme_data:/again:ro'],
      Mounts: [{ Type: 'tmpfs', Target: '/tmp', TmpfsOptions: { SizeBytes: 64 * 2 ** 20, Mode: 0o1777 } }],
    });
    const [, other] = desire(mounts, [data, tmp]);
    expect(other && createBody(other).HostConfig).toMatchObject({ Binds: [] });
  });

  it('may be what the block mounts: a container does not roll where it is said in the other place', () => {
    const block = { volumes: ['data:/data'] };
    const [ofBlock] = desire([], [], block);
    const [own] = desire([{ name: 'data', mountPath: '/data' }], [data]);
    expect(own?.hashes).toEqual(ofBlock?.hashes);
  });

  it('has the words of its mode as the engine takes them', () => {
    const block = { volumes: ['data:/data:nocopy', '/srv/a:/a:ro,rslave', '/srv/b:/b:z', '/srv/c:/c:ro,Z'] };
    const allowed_host_paths = [
      '/srv/a',
      ...['/srv/b', '/srv/c'].map((path) => ({ path, writable: true, relabel: true })),
    ];
    const [container] = desiredTenant(
      tenantSpec({ image: 'app:1', ...block }),
      settings({}, { allowed_host_paths }),
    ).containers;
    expect(container && createBody(container).HostConfig).toMatchObject({
      Binds: ['landlord-acme_data:/data:rw,nocopy', '/srv/b:/b:rw,z', '/srv/c:/c:ro,Z'],
      Mounts: [
        {
          Type: 'bind',
          Source: '/srv/a',
          Target: '/a',
          ReadOnly: true,
          BindOptions: { Propagation: 'rslave' },
        },
      ],
    });
  });

  it('may be a part of a volume, or one file, which goes another way', () => {
    const mounts = [
      { name: 'data', mountPath: '/rows', subPath: 'db/rows' },
      { name: 'data', mountPath: '/more', subPath: 'more', readOnly: true },
      { name: 'files', mountPath: '/etc/app.conf', subPath: 'a' },
      { name: 'files', mountPath: '/etc/app' },
    ];
    const made = hostConfigOf(mounts, [data, files('AAAA')]);
    const [source = ''] = made?.Binds?.[0]?.split(':') ?? [];
    const part = (Source: string, Target: string, ReadOnly: boolean, Subpath: string) => ({
      Type: 'volume',
      Source,
      Target,
      ReadOnly,
      VolumeOptions: { NoCopy: true, Subpath, Labels: {}, DriverConfig: { Name: '', Options: {} } },
    });
    expect(source).toMatch(/_\.files\./);
    expect(made?.Binds).toEqual([`${source}:/etc/app:ro,nocopy`]);
    expect(made?.Mounts).toEqual([
      part('landlord-acme_data', '/rows', false, 'db/rows'),
      part('landlord-acme_data', '/more', true, 'more'),
      part(source, '/etc/app.conf', true, 'a'),
    ]);
    const hashes = (...asked: Mounts) => desire(asked, [data, files('AAAA')])[0]?.hashes;
    const whole = { name: 'files', mountPath: '/etc/app' };
    expect(hashes({ ...whole, subPath: 'a' })).not.toEqual(hashes(whole));
    expect(hashes({ name: 'data', mountPath: '/x', subPath: 'a' })).not.toEqual(
      hashes({ name: 'data', mountPath: '/x', subPath: 'b' }),
    );
  });

  it.each([
    ['tmp', 'a', /container app: volumeMounts: \/x: subPath: memory has no parts/],
    ['files', 'b', /volumeMounts: \/x: subPath: the files of ConfigMap app have no b$/],
  ])('has no part of %s that is not there', (name, subPath, message) => {
    expect(() => desire([{ name, mountPath: '/x', subPath }], [tmp, files('AAAA')])).toThrow(
      refused(message),
    );
  });

  it('is nothing new to a container that mounts nothing, whatever there is to mount', () => {
    const [none] = desire([], []);
    expect(desire([], [data, tmp, files('AAAA')])[0]?.hashes).toEqual(none?.hashes);
  });

  it.each<[what: string, a: readonly VolumeSpec[], b: readonly VolumeSpec[]]>([
    ['another content', [files('AAAA')], [files('BBBB')]],
    ['another content of a secret', [files(new SecretValue('AAAA'))], [files(new SecretValue('BBBB'))]],
    ['another mode', [files('AAAA')], [files('AAAA', 0o400)]],
  ])('rolls with %s, in another volume', (_what, before, after) => {
    const mounts = [{ name: 'files', mountPath: '/etc/app' }];
    const [one] = desire(mounts, before);
    const [two] = desire(mounts, after);
    expect(one?.hashes).not.toEqual(two?.hashes);
    expect(one?.files[0]?.source).not.toBe(two?.files[0]?.source);
    expect(desire(mounts, before)[0]).toMatchObject({ hashes: one?.hashes, files: one?.files });
  });

  it('is one volume for all who mount the same files, and another for each tenant', () => {
    const mounts = [
      { name: 'files', mountPath: '/etc/app' },
      { name: 'files', mountPath: '/etc/again' },
    ];
    const sources = (tenantId: string) => {
      const container = containerSpec('app', { volumeMounts: mounts });
      const spec = tenantSpec({}, { tenantId, containers: [container], volumes: [files('AAAA')] });
      return desiredTenant(spec, settings()).containers[0]?.files.map(({ source }) => source) ?? [];
    };
    expect(new Set(sources('acme')).size).toBe(1);
    const [mine = '', theirs = ''] = [sources('acme')[0], sources('other')[0]];
    expect(mine.split('.').at(-1)).not.toBe(theirs.split('.').at(-1));
  });

  it.each<[Mounts, object, RegExp]>([
    [[{ name: 'data', mountPath: '/a/..' }], {}, /container app: volumeMounts: \/a\/.. is the root/],
    [
      [
        { name: 'data', mountPath: '/data' },
        { name: 'tmp', mountPath: '/data/' },
      ],
      {},
      /container app: volumeMounts: \/data\/: another volume is mounted there already/,
    ],
    [
      [{ name: 'tmp', mountPath: '/data' }],
      { volumes: ['data:/data'] },
      /container app: volumeMounts: \/data: another volume is mounted there already/,
    ],
    [[{ name: 'none', mountPath: '/data' }], {}, /volumeMounts: \/data: spec.volumes has no none/],
  ])('%o is refused', (mounts, config, message) => {
    expect(() => desire(mounts, [data, tmp], config)).toThrow(refused(message));
  });
});
