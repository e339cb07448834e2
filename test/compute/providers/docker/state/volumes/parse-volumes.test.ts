import { describe, expect, it } from 'vitest';
import { parseVolumes } from '../../../../../../src/compute/providers/docker/state/volumes/parse-volumes.ts';

const rules = {
  labelPrefix: 'landlord',
  tenantId: 'acme',
  allowedHostPaths: ['/srv/data/'],
  writableHostPaths: [],
  operatorVolumes: ['/etc/ssl:/etc/ssl:ro'],
};
type Allowed = Parameters<typeof parseVolumes>[1]['allowedHostPaths'];
const parse = (volume: string, allowedHostPaths: Allowed = rules.allowedHostPaths) =>
  parseVolumes([volume], { ...rules, allowedHostPaths })[0];

describe('a named volume', () => {
  it("bears the tenant's name, so that no tenant can name another's", () => {
    expect(parse('data:/var/lib/data')).toEqual({
      source: 'landlord-acme_data',
      formerSource: 'landlord-acme-data',
      target: '/var/lib/data',
      readOnly: false,
      named: true,
    });
    expect(parse('data:/data:ro')?.readOnly).toBe(true);
  });

  it.each(['../data', '.', '~root', 'a/b', '-x'])('named %s is refused', (name) => {
    expect(() => parse(`${name}:/data`)).toThrow(
      /volumes\[0\].*neither an absolute host path nor a volume name/,
    );
  });

  it('is as long as the name of a folder may be, with what stands before it, and no longer', () => {
    const longest = 'a'.repeat(255 - 'landlord-acme_'.length);
    expect(parse(`${longest}:/data`)?.source).toHaveLength(255);
    expect(() => parse(`${longest}a:/data`)).toThrow(
      expect.objectContaining({
        code: 'InvalidSpec',
        message: expect.stringMatching(/volumes\[0\]: its name must have at most 241 characters/),
      }),
    );
  });

  it('can not be mounted over the root, nor two at one place', () => {
    expect(() => parse('data:/')).toThrow('root of the container');
    expect(() => parse('data:/x/..')).toThrow('root of the container');
    expect(() => parseVolumes(['a:/data', 'b:/data/./'], rules)).toThrow('volumes[1]: mounts /data');
  });
});

describe('a mode', () => {
  it.each<[volume: string, said: object]>([
    ['data:/data:nocopy', { readOnly: false, options: ['nocopy'] }],
    ['data:/data:Z,ro', { readOnly: true, options: ['Z'] }],
    ['data:/data:rw', { readOnly: false }],
    ['/srv/data:/data:rslave,ro', { readOnly: true, options: ['rslave'], grant: { root: '/srv/data' } }],
  ])('%s has further words', (volume, said) => {
    expect(parse(volume)).toMatchObject(said);
    expect('options' in (parse(volume) ?? {})).toBe('options' in said);
  });

  it.each([
    ['data:/data:ro,rw', 'of ro, rw a volume has one at most'],
    ['data:/data:z,Z', 'of z, Z a volume has one at most'],
    ['/srv/data:/data:ro,slave,rslave', 'of slave, rslave, private, rprivate a volume has one at most'],
    ['data:/data:slave', 'slave is for paths of the host'],
    ['/srv/data:/data:ro,nocopy', 'nocopy is for volumes: nothing is copied to a path of the host'],
  ])('%s says no two things, and nothing that can not be', (volume, why) => {
    const message = `spec.computeConfig.docker.volumes[0]: ${why}`;
    expect(() => parse(volume)).toThrow(expect.objectContaining({ code: 'InvalidSpec', message }));
  });

  it('labels a path of the host anew by leave for that very path alone', () => {
    const relabel = [{ path: '/srv/data', writable: true, relabel: true }];
    expect(parse('/srv/data:/data:z', relabel)).toMatchObject({ options: ['z'], readOnly: false });
    expect(parse('/srv/data:/data:ro,Z', [{ ...relabel[0]!, writable: false }])).toMatchObject({
      options: ['Z'],
    });
    for (const allowed of [
      ['/srv/data'],
      [{ path: '/srv/data', writable: true }],
      [{ ...relabel[0]!, path: '/srv' }],
    ])
      expect(() => parse('/srv/data:/data:ro,z', allowed)).toThrow(
        /^policy\.docker\.allowed_host_paths: host path \/srv\/data may not be labelled anew. Leave out z and Z, or /,
      );
  });
});

describe('a host path', () => {
  it.each(['/srv/data', '/srv/data/', '/srv//data/a', '/srv/./data/a', '/srv/data/a/../b', '//srv/data'])(
    '%s lies within what is allowed',
    (path) => {
      expect(parse(`${path}:/data:ro`)).toMatchObject({
        named: false,
        grant: { root: '/srv/data', written: [] },
        source: expect.stringMatching(/^\/srv\/data/),
      });
    },
  );

  it.each([
    '/',
    '//',
    '/srv',
    '/srv/data-evil',
    '/srv/data/..',
    '/srv/data/../../etc',
    '/srv/data/../data2',
    '/./srv/data/../../var/run/docker.sock',
    '/var/run/docker.sock',
    '/run/docker.sock',
    '/etc/ssl',
  ])('%s is refused, with the rule that refuses it', (path) => {
    const refused = expect.objectContaining({ code: 'PolicyDenied' });
    expect(() => parse(`${path}:/data`)).toThrow(refused);
    expect(() => parse(`${path}:/data`)).toThrow(/^policy\.docker\.allowed_host_paths/);
  });

  it('is refused to be written to, with what would help', () => {
    expect(() => parse('/srv/data:/data')).toThrow(/may only be read\. Mount it with :ro/);
  });

  it('is refused whatever it is, where nothing is allowed', () => {
    expect(() => parse('/srv/data:/data', [])).toThrow(/allowed_host_paths/);
  });

  it("is the operator's own to give: a volume of its block needs no permission", () => {
    expect(parse('/etc/ssl:/etc/ssl:ro', [])).toMatchObject({ source: '/etc/ssl', readOnly: true });
  });

  it('reaches the engine without the tricks it was written with', () => {
    expect(parse('/srv/x/../data//a/./b/:/data:ro')?.source).toBe('/srv/data/a/b');
  });
});
