import { describe, expect, test } from 'vitest';
import { secretsResource } from '../../../src/controller/kube-resources.ts';
import { createSecretReader } from '../../../src/controller/sources/secret-reader.ts';
import type { SecretReader } from '../../../src/controller/sources/secret-reader.ts';
import type { SecretObject } from '../../../src/controller/sources/source.ts';
import { KubeApiError } from '../../../src/kube/client/kube-api-error.ts';
import { resource } from '../../../src/kube/client/resource.ts';
import { createMemoryApiserver } from '../memory-apiserver.ts';
import type { MemoryApiserver } from '../memory-apiserver.ts';

interface SecretFixture {
  readonly apiserver: MemoryApiserver;
  readonly reader: SecretReader;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A reader of the namespace team-a, with one Secret in it and one of the same name elsewhere. */
async function withSecret(
  name: string,
  data: Record<string, string> | undefined,
  type?: string,
): Promise<SecretFixture> {
  const apiserver = createMemoryApiserver();
  const secrets = resource<SecretObject>(apiserver.clientOf('user'), secretsResource);
  const more = { ...(data === undefined ? {} : { data }), ...(type === undefined ? {} : { type }) };
  await secrets.create({ metadata: { name, namespace: 'team-a' }, ...more });
  await secrets.create({
    metadata: { name: 'theirs', namespace: 'team-b' },
    data: { password: base64('x') },
  });
  const operator = resource<SecretObject>(apiserver.clientOf('operator'), secretsResource);
  return { apiserver, reader: createSecretReader(operator, 'team-a', new AbortController().signal) };
}

const dockerConfig = (config: unknown): Promise<SecretFixture> =>
  withSecret(
    'regcred',
    { '.dockerconfigjson': base64(typeof config === 'string' ? config : JSON.stringify(config)) },
    'kubernetes.io/dockerconfigjson',
  );

async function credentialsOf(config: unknown): Promise<string[]> {
  const { reader } = await dockerConfig(config);
  const found = await reader.registryCredentials('regcred');
  return found.map(
    ({ registry, username, password, isToken }) =>
      `${registry} ${username} ${password.reveal()}${isToken ? ' as a token' : ''}`,
  );
}

describe("a Secret's value", () => {
  test('is decoded, and read once however many keys are taken', async () => {
    const { apiserver, reader } = await withSecret('db', { user: base64('acme'), password: base64('hüte') });
    expect((await reader.value('db', 'user')).reveal()).toBe('acme');
    expect((await reader.value('db', 'password')).reveal()).toBe('hüte');
    const all = [...(await reader.values('db'))].map(([key, value]) => `${key} ${value.reveal()}`);
    expect(all).toEqual(['user acme', 'password hüte']);
    const files = [...(await reader.files('db'))].map(([key, value]) => `${key} ${value.reveal()}`);
    expect(files).toEqual([`user ${base64('acme')}`, `password ${base64('hüte')}`]);
    const reads = apiserver.requests.filter(({ user }) => user === 'operator');
    expect(reads.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /api/v1/namespaces/team-a/secrets/db',
    ]);
  });

  test('may be empty', async () => {
    const { reader } = await withSecret('db', { password: '' });
    expect((await reader.value('db', 'password')).reveal()).toBe('');
  });

  test.each<[name: string, secret: string, data: Record<string, string> | undefined, message: string]>([
    ['is not there', 'db', { user: '' }, 'Secret db in namespace team-a has no key password; add it'],
    [
      'is in a Secret without data',
      'db',
      undefined,
      'Secret db in namespace team-a has no key password; add it',
    ],
    ['is in a Secret that is not there', 'no', {}, 'Secret db does not exist in namespace team-a; create it'],
  ])('that %s is SecretNotFound', async (_name, secret, data, message) => {
    const { reader } = await withSecret(secret, data);
    await expect(reader.value('db', 'password')).rejects.toMatchObject({ code: 'SecretNotFound', message });
  });

  test("is never read from another tenant's namespace", async () => {
    const { reader } = await withSecret('db', {});
    await expect(reader.value('theirs', 'password')).rejects.toMatchObject({ code: 'SecretNotFound' });
  });

  test('that may not be read is AccessDenied, and says what to grant', async () => {
    const { apiserver, reader } = await withSecret('db', {});
    apiserver.intercept = () => {
      throw new KubeApiError('secrets db', 403, { reason: 'Forbidden' });
    };
    await expect(reader.value('db', 'password')).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringMatching(
        /^Secret db: .* in namespace team-a; grant get, list and watch on secrets/,
      ),
    });
  });

  test('that the apiserver fails to give is the apiserver’s failure', async () => {
    const { apiserver, reader } = await withSecret('db', {});
    const failure = new KubeApiError('secrets db', 500, {});
    apiserver.intercept = () => {
      throw failure;
    };
    await expect(reader.value('db', 'password')).rejects.toBe(failure);
  });
});

describe('credentials of registries', () => {
  test.each<[name: string, config: unknown, credentials: string[]]>([
    ['user and password', { auths: { 'r.example': { username: 'u', password: 'p' } } }, ['r.example u p']],
    ['auth', { auths: { 'r.example': { auth: base64('u:p') } } }, ['r.example u p']],
    [
      'auth with a colon in the password',
      { auths: { 'r.example': { auth: base64('u:p:q') } } },
      ['r.example u p:q'],
    ],
    ['auth with an empty user', { auths: { 'r.example': { auth: base64(':p') } } }, ['r.example  p']],
    [
      'auth beside user and password: auth wins, as docker has it',
      { auths: { 'r.example': { username: 'x', password: 'y', auth: base64('u:p') } } },
      ['r.example u p'],
    ],
    ['auth without a colon', { auths: { 'r.example': { auth: base64('up') } } }, []],
    ['a user without password', { auths: { 'r.example': { username: 'u' } } }, []],
    ['a password without user', { auths: { 'r.example': { password: 'p' } } }, []],
    ['a token only', { auths: { 'r.example': { identitytoken: 't' } } }, ['r.example  t as a token']],
    [
      'a token beside what docker login writes with it',
      { auths: { 'r.example': { auth: base64('u:'), identitytoken: 't' } } },
      ['r.example  t as a token'],
    ],
    ['no token', { auths: { 'r.example': { auth: base64('u:p'), identitytoken: '' } } }, ['r.example u p']],
    ['a URL', { auths: { 'https://index.docker.io/v1/': { auth: base64('u:p') } } }, ['index.docker.io u p']],
    [
      'an http URL with a port',
      { auths: { 'http://r.example:5000': { auth: base64('u:p') } } },
      ['r.example:5000 u p'],
    ],
    ['a path', { auths: { 'r.example/team/': { auth: base64('u:p') } } }, ['r.example/team u p']],
    [
      'a URL with a path',
      { auths: { 'https://r.example/v2/team': { auth: base64('u:p') } } },
      ['r.example/team u p'],
    ],
    [
      'several registries',
      { auths: { a: { auth: base64('u:p') }, b: { username: 'v', password: 'q' }, c: {} } },
      ['a u p', 'b v q'],
    ],
    ['no registries', { auths: {} }, []],
    ['nothing', {}, []],
  ])('%s', async (_name, config, credentials) => {
    expect(await credentialsOf(config)).toEqual(credentials);
  });

  test('of a Secret that is no JSON are InvalidSpec, and the message quotes none of it', async () => {
    const { reader } = await dockerConfig('hunter2{');
    const error = (await reader.registryCredentials('regcred').catch((reason: unknown) => reason)) as Error;
    expect(error).toMatchObject({
      code: 'InvalidSpec',
      message: 'spec.imagePullSecrets: Secret regcred holds no valid JSON',
    });
    expect(error.cause).toBeUndefined();
  });

  test.each<[name: string, data: Record<string, string>, type: string | undefined, shown: string]>([
    ['without a type', {}, undefined, 'Opaque'],
    [
      'of another type',
      { '.dockerconfigjson': base64('{}') },
      'kubernetes.io/dockercfg',
      'kubernetes.io/dockercfg',
    ],
    ['without the key', {}, 'kubernetes.io/dockerconfigjson', 'kubernetes.io/dockerconfigjson'],
  ])('of a Secret %s are InvalidSpec', async (_name, data, type, shown) => {
    const { reader } = await withSecret('regcred', data, type);
    await expect(reader.registryCredentials('regcred')).rejects.toMatchObject({
      code: 'InvalidSpec',
      message: `spec.imagePullSecrets: Secret regcred is of type ${shown}, must be kubernetes.io/dockerconfigjson`,
    });
  });

  test('of a Secret that is not there are SecretNotFound', async () => {
    const { reader } = await withSecret('db', {});
    await expect(reader.registryCredentials('regcred')).rejects.toMatchObject({ code: 'SecretNotFound' });
  });
});
