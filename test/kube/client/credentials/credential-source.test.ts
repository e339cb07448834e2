import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { Cluster, User } from '@kubernetes/client-node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createCredentialSource } from '../../../../src/kube/client/credentials/credential-source.ts';
import { KubeUnreachableError } from '../../../../src/kube/client/kube-api-error.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { answer, clientFor, kubeConfigFor, scriptedServer } from '../../scripted-server.ts';

const get = { method: 'GET', path: '/api/v1/namespaces' } as const;

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-credentials-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A plugin that counts its runs in a file and gives the token `token-N`; `script` may use `run` and `status`. */
async function execPlugin(script = ''): Promise<{ user: Partial<User>; runs: () => Promise<number> }> {
  const folder = await temporaryFolder();
  const path = join(folder, 'plugin.mjs');
  const counter = join(folder, 'runs');
  await writeFile(counter, '');
  await writeFile(
    path,
    `import { appendFileSync, readFileSync } from 'node:fs';
     appendFileSync(${JSON.stringify(counter)}, '.');
     const run = readFileSync(${JSON.stringify(counter)}).length;
     const status = { token: 'token-' + run };
     ${script}
     console.log(JSON.stringify({ kind: 'ExecCredential', status }));`,
  );
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [path] };
  return { user: { exec }, runs: async () => (await readFile(counter)).length };
}

function sourceFor(user: Partial<User>, timeoutMs?: number, logger = recordingLogger().logger) {
  return createCredentialSource({
    kubeConfig: kubeConfigFor('https://127.0.0.1:1', user),
    logger,
    execEnv: { PATH: '/usr/bin', MARK: 'inherited' },
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
}

/** Only the time of day is the test's own: plugins run in real time. */
function setDate(nowMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: nowMs });
  onTestFinished(() => void vi.useRealTimers());
}

/** As `later`, but from the time of day that the test has set. */
function endingAt(ms: number): string {
  return `status.expirationTimestamp = new Date(${ms}).toISOString();`;
}

function later(seconds: number): string {
  return `status.expirationTimestamp = new Date(Date.now() + ${seconds * 1000}).toISOString();`;
}

describe('an exec plugin', () => {
  test('runs once for 32 requests at a time, and not again while its token holds', async () => {
    const { user, runs } = await execPlugin(later(3600));
    const { url, requests } = await scriptedServer((_request, response) => answer(response, 200, {}));
    const client = clientFor(url, { user, execEnv: {} });
    await Promise.all(Array.from({ length: 32 }, () => client.request(get)));
    await client.request(get);
    expect(await runs()).toBe(1);
    expect(new Set(requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer token-1']),
    );
  });

  test('runs again 30 s before its token ends, and no earlier', async () => {
    const startMs = Date.parse('2026-01-01T00:00:00Z');
    setDate(startMs);
    const { user, runs } = await execPlugin(endingAt(startMs + 100_000));
    const source = sourceFor(user);
    await source.current();
    vi.setSystemTime(startMs + 69_999);
    await source.current();
    expect(await runs()).toBe(1);
    vi.setSystemTime(startMs + 70_000);
    await source.current();
    expect(await runs()).toBe(2);
  });

  test.each([
    ['holds for 30 s', 30_000, 15_000],
    ['holds for 8 s', 8_000, 5_000],
    ['has ended by our clock', -60_000, 5_000],
  ])('whose token %s does not run for each request', async (_which, holdsMs, againMs) => {
    const startMs = Date.parse('2026-01-01T00:00:00Z');
    setDate(startMs);
    const { user, runs } = await execPlugin(endingAt(startMs + holdsMs));
    const source = sourceFor(user);
    await source.current();
    vi.setSystemTime(startMs + againMs - 1);
    await source.current();
    expect(await runs()).toBe(1);
    vi.setSystemTime(startMs + againMs);
    await source.current();
    expect(await runs()).toBe(2);
  });

  test('without an end to its token runs once', async () => {
    setDate(Date.now());
    const { user, runs } = await execPlugin();
    const source = sourceFor(user);
    await source.current();
    vi.setSystemTime(Date.now() + 86_400_000);
    await source.current();
    expect(await runs()).toBe(1);
  });

  test('that fails while the present token still holds changes nothing, and has a pause of 5 s', async () => {
    const startMs = Date.parse('2026-01-01T00:00:00Z');
    setDate(startMs);
    const { user, runs } = await execPlugin(`if (run > 1) process.exit(1); ${endingAt(startMs + 20_000)}`);
    const { logger, lines } = recordingLogger();
    const source = sourceFor(user, undefined, logger);
    const first = await source.current();
    expect(await source.current()).toBe(first);
    expect(await runs()).toBe(1);
    vi.setSystemTime(startMs + 10_000);
    expect(await source.current()).toBe(first);
    expect(await source.current()).toBe(first);
    expect(await runs()).toBe(2);
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
    vi.setSystemTime(startMs + 15_000);
    expect(await source.current()).toBe(first);
    expect(await runs()).toBe(3);
    vi.setSystemTime(startMs + 20_000);
    await expect(source.current()).rejects.toThrow(KubeUnreachableError);
  });

  test('runs again after a 401, and the request is repeated with the new token, POST or not', async () => {
    const { user, runs } = await execPlugin(later(3600));
    const { url } = await scriptedServer((request, response) => {
      if (request.headers.authorization === 'Bearer token-2') answer(response, 201, { ok: true });
      else answer(response, 401, { reason: 'Unauthorized' });
    });
    const client = clientFor(url, { user, execEnv: {} });
    expect(await client.request({ method: 'POST', path: '/api/v1/x', body: {} })).toEqual({ ok: true });
    expect(await runs()).toBe(2);
  });

  test('does not run for each request where the server refuses everybody', async () => {
    const { user, runs } = await execPlugin(later(3600));
    const { url } = await scriptedServer((_request, response) =>
      answer(response, 401, { reason: 'Unauthorized' }),
    );
    const client = clientFor(url, { user, execEnv: {} });
    for (let index = 0; index < 5; index += 1)
      await expect(client.request(get)).rejects.toMatchObject({ status: 401 });
    expect(await runs()).toBe(2);
  });

  test('does not run again for a refusal that is no 401', async () => {
    const { user, runs } = await execPlugin(later(3600));
    const { url } = await scriptedServer((_request, response) => answer(response, 403, {}));
    const client = clientFor(url, { user, execEnv: {} });
    for (let index = 0; index < 2; index += 1)
      await expect(client.request(get)).rejects.toMatchObject({ status: 403 });
    expect(await runs()).toBe(1);
  });

  test('that fails is named with what it wrote to stderr', async () => {
    const { user } = await execPlugin(`console.error('session expired, log in again'); process.exit(3);`);
    const error = await sourceFor(user)
      .current()
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(KubeUnreachableError);
    expect((error as Error).message).toContain('exit 3: session expired, log in again');
  });

  test('gets the environment, its own variables and KUBERNETES_EXEC_INFO', async () => {
    const { user } = await execPlugin(
      `const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
       status.token = [process.env.MARK, process.env.OWN, info.kind, info.spec.interactive].join(' ');`,
    );
    Object.assign(user.exec as object, { env: [{ name: 'OWN', value: 'own' }] });
    const { headers } = await sourceFor(user).current();
    expect(headers['authorization']).toBe('Bearer inherited own ExecCredential false');
  });

  test('may give a client certificate in place of a token: the connections are made anew with it', async () => {
    const startMs = Date.parse('2026-01-01T00:00:00Z');
    setDate(startMs);
    const { user } = await execPlugin(
      `delete status.token; status.clientCertificateData = 'cert ' + run; status.clientKeyData = 'key'; ${endingAt(startMs + 60_000)}`,
    );
    const source = sourceFor(user);
    const first = await source.current();
    expect(String(first.tls.cert)).toBe('cert 1');
    vi.setSystemTime(startMs + 30_000);
    expect((await source.current()).tlsFingerprint).not.toBe(first.tlsFingerprint);
  });
});

describe('a 401', () => {
  test('is no reason to renew what was renewed since, nor again within 5 s', async () => {
    const startMs = Date.parse('2026-01-01T00:00:00Z');
    setDate(startMs);
    const source = sourceFor({ token: 't' });
    const first = await source.current();
    source.invalidate(first);
    const second = await source.current();
    expect(second).not.toBe(first);
    vi.setSystemTime(startMs + 60_000);
    const third = await source.current();
    source.invalidate(second);
    expect(await source.current()).toBe(third);
    source.invalidate(third);
    const fourth = await source.current();
    expect(fourth).not.toBe(third);
    vi.setSystemTime(startMs + 64_999);
    source.invalidate(fourth);
    expect(await source.current()).toBe(fourth);
    vi.setSystemTime(startMs + 65_000);
    source.invalidate(fourth);
    expect(await source.current()).not.toBe(fourth);
  });

  test('before there are any credentials changes nothing', async () => {
    const source = sourceFor({ token: 't' });
    source.invalidate({ headers: {}, tls: {}, tlsFingerprint: '' });
    expect((await source.current()).headers['authorization']).toBe('Bearer t');
  });
});

describe('a token file', () => {
  test('is read again after a minute, and at once after a 401', async () => {
    const file = join(await temporaryFolder(), 'token');
    await writeFile(file, 'first\n');
    const source = sourceFor({ authProvider: { name: 'tokenFile', config: { tokenFile: file } } });
    const first = await source.current();
    expect(first.headers['authorization']).toBe('Bearer first');
    await writeFile(file, 'second\n');
    expect(await source.current()).toBe(first);
    source.invalidate(first);
    expect((await source.current()).headers['authorization']).toBe('Bearer second');

    await writeFile(file, 'third\n');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect((await source.current()).headers['authorization']).toBe('Bearer third');
  });

  test('that is missing is an error that names it', async () => {
    const user = { tokenFile: '/nowhere/token' } as Partial<User>;
    await expect(sourceFor(user).current()).rejects.toThrow('no Kubernetes credentials: ENOENT');
  });
});

test('impersonation is sent with all its groups', async () => {
  const { url, requests } = await scriptedServer((_request, response) => answer(response, 200, {}));
  const user = { token: 't', impersonateUser: 'jane', impersonateGroups: ['a', 'b'] } as Partial<User>;
  await clientFor(url, { user }).request(get);
  expect(requests[0]?.headers['impersonate-user']).toBe('jane');
  expect(requests[0]?.headersDistinct['impersonate-group']).toEqual(['a', 'b']);
});

describe('of several ways to prove who one is', () => {
  test('the order is: a token file, a token, name and password, a plugin', async () => {
    const file = join(await temporaryFolder(), 'token');
    await writeFile(file, 'of the file\n');
    const { user: withPlugin } = await execPlugin();
    const user = {
      tokenFile: file,
      token: ' of its own\n',
      username: 'jane',
      password: 'secret',
      ...withPlugin,
    };
    const authorization = async (part: object) => (await sourceFor(part).current()).headers['authorization'];
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(await authorization(user)).toBe('Bearer of the file');
    expect(await authorization({ ...user, tokenFile: undefined })).toBe('Bearer of its own');
    expect(await authorization({ ...user, tokenFile: undefined, token: undefined })).toBe(
      basic('jane:secret'),
    );
    expect(await authorization({ username: 'jane' })).toBe(basic('jane:'));
    expect(await authorization(withPlugin)).toBe('Bearer token-1');
    expect(await authorization({})).toBeUndefined();
  });

  test('those that client-node knows are left to it', async () => {
    const user = { authProvider: { name: 'oidc', config: {} } };
    const kubeConfig = kubeConfigFor('https://127.0.0.1:1', user);
    const apply = vi.spyOn(kubeConfig, 'applyToHTTPSOptions');
    const { logger } = recordingLogger();
    apply.mockImplementation(
      async (options) => void Object.assign(options.headers ?? {}, { Authorization: 'Bearer o' }),
    );
    const source = createCredentialSource({ kubeConfig, logger });
    expect((await source.current()).headers).toEqual({ authorization: 'Bearer o' });
    apply.mockResolvedValue(undefined);
    expect((await createCredentialSource({ kubeConfig, logger }).current()).headers).toEqual({});
  });

  test('one that never ends is given up on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const kubeConfig = kubeConfigFor('https://127.0.0.1:1', { authProvider: { name: 'oidc', config: {} } });
    const asked = Promise.withResolvers<void>();
    vi.spyOn(kubeConfig, 'applyToHTTPSOptions').mockImplementation(() => {
      asked.resolve();
      return new Promise(() => undefined);
    });
    const source = createCredentialSource({ kubeConfig, logger: recordingLogger().logger });
    const giveUp = async (): Promise<void> => {
      await asked.promise;
      await vi.advanceTimersByTimeAsync(31_000);
    };
    await Promise.all([expect(source.current()).rejects.toThrow('no answer within 30000 ms'), giveUp()]);
  });
});

describe('TLS', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  async function tlsOf(cluster: Partial<Cluster>, user: Partial<User>) {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: 'c', server: 'https://127.0.0.1:1', skipTLSVerify: false, ...cluster },
      { name: 'u', ...user },
    );
    return createCredentialSource({ kubeConfig, logger: recordingLogger().logger }).current();
  }

  test('has what the kubeconfig gives, by its data or by files, and nothing else', async () => {
    expect((await tlsOf({}, {})).tls).toEqual({});
    const data = await tlsOf(
      { caData: base64('ca'), tlsServerName: 'api.test', skipTLSVerify: true },
      { certData: base64('cert'), keyData: base64('key') },
    );
    expect(data.tls).toEqual({
      ca: Buffer.from('ca'),
      cert: Buffer.from('cert'),
      key: Buffer.from('key'),
      servername: 'api.test',
      rejectUnauthorized: false,
    });
    const folder = await temporaryFolder();
    const [caFile, certFile, keyFile] = ['ca', 'cert', 'key'].map((name) => join(folder, name));
    for (const [path, text] of [
      [caFile, 'ca'],
      [certFile, 'cert'],
      [keyFile, 'key'],
    ])
      await writeFile(path ?? '', text ?? '');
    const files = await tlsOf({ caFile: caFile ?? '' }, { certFile: certFile ?? '', keyFile: keyFile ?? '' });
    expect(files.tls).toEqual({ ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') });
    expect(files.tlsFingerprint).toBe(data.tlsFingerprint);
  });

  test('makes the connections anew when CA, certificate or key change, and only then', async () => {
    const parts = [
      [{}, {}],
      [{ caData: base64('ca') }, {}],
      [{}, { certData: base64('ca') }],
      [{}, { keyData: base64('ca') }],
    ] as const;
    const fingerprints = await Promise.all(
      parts.map(async ([cluster, user]) => (await tlsOf(cluster, user)).tlsFingerprint),
    );
    expect(new Set(fingerprints).size).toBe(4);
    expect((await tlsOf({}, { token: 'other' })).tlsFingerprint).toBe(fingerprints[0]);
  });
});

describe('a kubeconfig', () => {
  const { logger } = recordingLogger();

  test('without a current cluster is refused', () => {
    expect(() => createCredentialSource({ kubeConfig: new KubeConfig(), logger })).toThrow(
      'no current cluster',
    );
  });

  test('with a plugin is refused where nobody says in which environment it runs', () => {
    const kubeConfig = kubeConfigFor('https://127.0.0.1:1', { exec: { command: 'login' } });
    expect(() => createCredentialSource({ kubeConfig, logger })).toThrow('user test has an exec plugin');
    expect(() => createCredentialSource({ kubeConfig, logger, execEnv: {} })).not.toThrow();
  });

  test('without a user is anonymous', async () => {
    const kubeConfig = kubeConfigFor('https://127.0.0.1:1');
    kubeConfig.users = [];
    expect((await createCredentialSource({ kubeConfig, logger }).current()).headers).toEqual({});
  });
});

test('impersonation is sent where it is asked for, part by part', async () => {
  const user = { impersonateUser: 'jane', impersonateUid: '7', impersonateGroups: [] } as Partial<User>;
  expect((await sourceFor(user).current()).headers).toEqual({
    'impersonate-user': 'jane',
    'impersonate-uid': '7',
  });
});
