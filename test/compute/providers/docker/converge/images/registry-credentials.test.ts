import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  credentialsFor,
  withEach,
} from '../../../../../../src/compute/providers/docker/converge/images/registry-credentials.ts';
import { ComputeError } from '../../../../../../src/compute/errors.ts';
import { SecretValue } from '../../../../../../src/compute/spec/secret-value.ts';

it("the tenant's credential comes before the operator's, by registry, and none is right, too", async () => {
  const registries = { 'registry.example': { username: 'operator', password: 'p' } };
  const own = { registry: 'registry.example', username: 'tenant', password: new SecretValue('secret') };
  const user = async (image: string, credentials = [own]) =>
    (await credentialsFor(image, credentials, registries)?.each[0]?.())?.username;
  expect(await user('registry.example/app:1')).toBe('tenant');
  expect(await user('registry.example/app:1', [])).toBe('operator');
  expect(await user('registry.example:5000/app:1')).toBeUndefined();
  expect(await user('app:1')).toBeUndefined();
  expect(await user('app:1', [{ ...own, registry: 'https://index.docker.io/v1/' }])).toBe('tenant');
});

it('credentials are told apart without being shown, and a lost password file is ImageUnavailable', async () => {
  const of = (password: string) =>
    credentialsFor(
      'r.example/a',
      [{ registry: 'r.example', username: 'u', password: new SecretValue(password) }],
      {},
    );
  expect(of('one')?.identity).not.toBe(of('two')?.identity);
  expect(of('one')?.identity).not.toContain('one');
  const lost = credentialsFor('r.example/a', [], {
    'r.example': { username: 'u', password_file: '/nowhere/at/all' },
  });
  await expect(lost?.each[0]?.()).rejects.toMatchObject({ code: 'ImageUnavailable' });
});

it('of several hosts the right one counts, and those of Docker Hub are one', async () => {
  const registries = {
    'index.docker.io': { username: 'hub', password: 'p' },
    'registry-1.example': { username: 'other', password: 'p' },
  };
  const user = async (image: string) => (await credentialsFor(image, [], registries)?.each[0]?.())?.username;
  expect(await user('team/app:1')).toBe('hub');
  expect(await user('docker.io/team/app:1')).toBe('hub');
  expect(await user('registry-1.example/app:1')).toBe('other');
  expect(await user('registry-2.example/app:1')).toBeUndefined();
});

it('a password comes from the block, or from the file that it names, as it is at that time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-credentials-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  const password_file = join(folder, 'password');
  const read = async (entry: { username: string; password?: string; password_file?: string }) =>
    (await credentialsFor('r.example/a', [], { 'r.example': entry })?.each[0]?.())?.password.reveal();
  expect(await read({ username: 'u', password: 'given' })).toBe('given');
  for (const password of ['first', 'second']) {
    await writeFile(password_file, `${password}\n`);
    expect(await read({ username: 'u', password_file })).toBe(password);
  }
  await expect(read({ username: 'u', password_file: folder })).rejects.toMatchObject({
    code: 'ImageUnavailable',
    message: `compute.docker.registries["r.example"].password_file: ${folder} can't be read (EISDIR)`,
  });
});

it('a key with a path is for what is below it, and the longest path wins', async () => {
  const entry = (username: string) => ({ username, password: 'p' });
  const registries = {
    'r.example/team-a': entry('a'),
    'r.example/team-a/web': entry('web'),
    'https://r.example/v2/team-b/': entry('b'),
    'r.example/v1': entry('v1'),
    'docker.io/library': entry('official'),
  };
  const user = async (image: string) => (await credentialsFor(image, [], registries)?.each[0]?.())?.username;
  expect(await user('r.example/team-a/app:1')).toBe('a');
  expect(await user('r.example/team-a')).toBe('a');
  expect(await user('r.example/team-a/web/shop:1')).toBe('web');
  expect(await user('r.example/team-b/app')).toBe('b');
  expect(await user('r.example/v1/app')).toBe('v1');
  expect(await user('nginx')).toBe('official');
  for (const image of ['r.example/hr/payroll:1', 'r.example/team-ab/app', 'r.example/app', 'team/app']) {
    expect(await user(image)).toBeUndefined();
  }
});

it("of the tenant's own, the longest path wins as well, before any of the operator's", async () => {
  const own = (registry: string, username: string) => ({
    registry,
    username,
    password: new SecretValue('p'),
  });
  const credentials = [own('r.example', 'all'), own('r.example/team', 'team')];
  const registries = { 'r.example/team/app': { username: 'operator', password: 'p' } };
  const user = async (image: string) =>
    (await credentialsFor(image, credentials, registries)?.each[0]?.())?.username;
  expect(await user('r.example/team/app:1')).toBe('team');
  expect(await user('r.example/other:1')).toBe('all');
});

describe('each of several credentials', () => {
  const own = (registry: string, username: string) => ({
    registry,
    username,
    password: new SecretValue(`of ${username}`),
  });
  const tried = async (image: string, given: string | undefined, code = 'ImageUnavailable') => {
    const all = [
      own('r.example', 'first'),
      own('*.example', 'glob'),
      own('r.example/team', 'team'),
      own('r.example', 'last'),
    ];
    const users: string[] = [];
    await withEach(credentialsFor(image, all, {}), async (auth) => {
      const user = auth?.username ?? 'nobody';
      users.push(user);
      if (user !== given) throw new ComputeError(code as 'ImageUnavailable', `not for ${user}`);
    }).catch((error: unknown) => users.push((error as Error).message));
    return users;
  };

  it('is tried until the registry gives the image: the longest path first, else as they are named', async () => {
    expect(await tried('r.example/team/app:1', 'team')).toEqual(['team']);
    expect(await tried('r.example/team/app:1', 'last')).toEqual(['team', 'first', 'glob', 'last']);
    expect(await tried('r.example/app:1', 'first')).toEqual(['first']);
    expect(await tried('other.example/app:1', 'glob')).toEqual(['glob']);
    expect(await tried('elsewhere/app:1', 'nobody')).toEqual(['nobody']);
  });

  it('is told of by what was said to the first, where none is good', async () => {
    expect((await tried('r.example/team/app:1', undefined)).at(-1)).toBe('not for team');
  });

  it('is not tried where something else is wrong than the credentials', async () => {
    const said = await tried('r.example/team/app:1', 'last', 'ProviderUnavailable');
    expect(said).toEqual(['team', 'not for team']);
  });

  it('is part of what they are told apart by', () => {
    const identity = (...all: ReturnType<typeof own>[]) =>
      credentialsFor('r.example/app:1', all, {})?.identity;
    const [one, two] = [own('r.example', 'one'), own('r.example', 'two')];
    expect(new Set([identity(one), identity(two), identity(one, two), identity(two, one)]).size).toBe(4);
  });

  it('goes to the engine as a token where it is one', async () => {
    const token = { ...own('r.example', ''), password: new SecretValue('t0ken'), isToken: true };
    const auths: unknown[] = [];
    await withEach(credentialsFor('r.example/app:1', [token], {}), async (auth) => void auths.push(auth));
    expect(auths).toEqual([{ identitytoken: 't0ken', serveraddress: 'r.example' }]);
  });
});

it.each([
  ['*.example', 'r.example/app', true],
  ['*.example', 'a.r.example/app', false],
  ['*.example', 'example/app', false],
  ['r*.example', 'registry.example/app', true],
  ['*y.example', 'registry.example/app', true],
  ['r*r.example', 'r.example/app', false],
  ['*.example:5000', 'r.example:5000/app', true],
  ['*.example', 'r.example:5000/app', false],
  ['*.example:5000', 'r.example/app', false],
  ['*.example/team', 'r.example/team/app', true],
  ['*.example/team', 'r.example/app', false],
  ['*', 'r.example/app', false],
  ['r**.example', 'registry.example/app', false],
])('a host with an asterisk, %s, is good for %s: %s', (registry, image, isGood) => {
  const credential = { registry, username: 'u', password: new SecretValue('p') };
  expect(credentialsFor(image, [credential], {}) !== undefined).toBe(isGood);
});
