import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { credentialFor } from '../../../../../../src/compute/providers/docker/converge/images/registry-credentials.ts';
import { SecretValue } from '../../../../../../src/compute/spec/secret-value.ts';

it("the tenant's credential comes before the operator's, by registry, and none is right, too", async () => {
  const registries = { 'registry.example': { username: 'operator', password: 'p' } };
  const own = { registry: 'registry.example', username: 'tenant', password: new SecretValue('secret') };
  const user = async (image: string, credentials = [own]) =>
    (await credentialFor(image, credentials, registries)?.read())?.username;
  expect(await user('registry.example/app:1')).toBe('tenant');
  expect(await user('registry.example/app:1', [])).toBe('operator');
  expect(await user('registry.example:5000/app:1')).toBeUndefined();
  expect(await user('app:1')).toBeUndefined();
  expect(await user('app:1', [{ ...own, registry: 'https://index.docker.io/v1/' }])).toBe('tenant');
});

it('credentials are told apart without being shown, and a lost password file is ImageUnavailable', async () => {
  const of = (password: string) =>
    credentialFor(
      'r.example/a',
      [{ registry: 'r.example', username: 'u', password: new SecretValue(password) }],
      {},
    );
  expect(of('one')?.identity).not.toBe(of('two')?.identity);
  expect(of('one')?.identity).not.toContain('one');
  const lost = credentialFor('r.example/a', [], {
    'r.example': { username: 'u', password_file: '/nowhere/at/all' },
  });
  await expect(lost?.read()).rejects.toMatchObject({ code: 'ImageUnavailable' });
});

it('of several hosts the right one counts, and those of Docker Hub are one', async () => {
  const registries = {
    'index.docker.io': { username: 'hub', password: 'p' },
    'registry-1.example': { username: 'other', password: 'p' },
  };
  const user = async (image: string) => (await credentialFor(image, [], registries)?.read())?.username;
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
    (await credentialFor('r.example/a', [], { 'r.example': entry })?.read())?.password.reveal();
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
