import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { User } from '@kubernetes/client-node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createCredentialSource } from '../../src/kube/credentials.ts';
import { KubeUnreachableError } from '../../src/kube/kube-client.ts';
import { recordingLogger } from './recording-logger.ts';
import { answer, clientFor, kubeConfigFor, scriptedServer } from './scripted-server.ts';

const GET = { method: 'GET', path: '/api/v1/namespaces' } as const;

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
  await chmod(path, 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [path] };
  return { user: { exec }, runs: async () => (await readFile(counter)).length };
}

function sourceFor(user: Partial<User>, timeoutMs?: number) {
  return createCredentialSource({
    kubeConfig: kubeConfigFor('https://127.0.0.1:1', user),
    logger: recordingLogger().logger,
    execEnv: { PATH: '/usr/bin', MARK: 'inherited' },
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
}

function later(seconds: number): string {
  return `status.expirationTimestamp = new Date(Date.now() + ${seconds * 1000}).toISOString();`;
}

describe('an exec plugin', () => {
  test('runs once for 32 requests at a time, and not again while its token holds', async () => {
    const { user, runs } = await execPlugin(later(3600));
    const { url, requests } = await scriptedServer((_request, response) => answer(response, 200, {}));
    const client = clientFor(url, { user, execEnv: {} });
    await Promise.all(Array.from({ length: 32 }, () => client.request(GET)));
    await client.request(GET);
    expect(await runs()).toBe(1);
    expect(new Set(requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer token-1']),
    );
  });

  test('runs again 30 s before its token ends', async () => {
    const { user, runs } = await execPlugin(later(29));
    const source = sourceFor(user);
    await source.current();
    await source.current();
    expect(await runs()).toBe(2);
  });

  test('that fails while the present token still holds changes nothing', async () => {
    const { user } = await execPlugin(`if (run > 1) process.exit(1); ${later(20)}`);
    const source = sourceFor(user);
    const first = await source.current();
    expect(await source.current()).toBe(first);
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
      await expect(client.request(GET)).rejects.toMatchObject({ status: 401 });
    expect(await runs()).toBe(2);
  });

  test('that fails is named with what it wrote to stderr', async () => {
    const { user } = await execPlugin(`console.error('session expired, log in again'); process.exit(3);`);
    const error = await sourceFor(user)
      .current()
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(KubeUnreachableError);
    expect((error as Error).message).toContain('exit 3: session expired, log in again');
  });

  test('that hangs is killed', async () => {
    const { user } = await execPlugin(`await new Promise((resolve) => setTimeout(resolve, 60_000));`);
    await expect(sourceFor(user, 500).current()).rejects.toThrow('time limit 500 ms');
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
    const { user } = await execPlugin(
      `delete status.token; status.clientCertificateData = 'cert ' + run; status.clientKeyData = 'key'; ${later(1)}`,
    );
    const source = sourceFor(user);
    const first = await source.current();
    expect(String(first.tls.cert)).toBe('cert 1');
    expect((await source.current()).tlsFingerprint).not.toBe(first.tlsFingerprint);
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
  await clientFor(url, { user }).request(GET);
  expect(requests[0]?.headers['impersonate-user']).toBe('jane');
  expect(requests[0]?.headersDistinct['impersonate-group']).toEqual(['a', 'b']);
});

test('name and password become basic authentication', async () => {
  const { headers } = await sourceFor({ username: 'jane', password: 'secret' }).current();
  expect(headers['authorization']).toBe(`Basic ${Buffer.from('jane:secret').toString('base64')}`);
});
