import { describe, expect, test } from 'vitest';
import { runExecPlugin } from '../../../../src/kube/client/credentials/exec-plugin.ts';
import type { ExecPlugin } from '../../../../src/kube/client/credentials/exec-plugin.ts';

const clusterInfo = { name: 'c', server: 'https://api.test', caData: 'Q0E=', skipTLSVerify: false };

/** A plugin that is a line of shell. */
function run(script: string, plugin: Partial<ExecPlugin> = {}, env: Record<string, string> = {}) {
  return runExecPlugin(
    { command: '/bin/sh', args: ['-c', script], ...plugin },
    { cluster: clusterInfo, env, timeoutMs: 30_000 },
  );
}

const echo = (status: object): string => `echo '${JSON.stringify({ kind: 'ExecCredential', status })}'`;
const failure = (script: string): Promise<string> =>
  run(script).then(
    () => expect.fail('it should have failed'),
    (error: Error) => error.message,
  );

describe('a credential', () => {
  test.each([
    ['a token', { token: 't', expirationTimestamp: '2026-01-01T00:00:00Z' }],
    ['a certificate', { clientCertificateData: 'cert', clientKeyData: 'key' }],
  ])('is %s', async (_what, status) => {
    expect(await run(echo(status))).toEqual(status);
  });

  test.each([
    ['no JSON', 'echo hello', 'exec plugin /bin/sh printed no JSON'],
    ['no status', 'echo {}', 'exec plugin /bin/sh gave neither a token nor a client certificate'],
    ['an empty one', echo({}), 'exec plugin /bin/sh gave neither a token nor a client certificate'],
    ['a failure', 'echo locked >&2; exit 3', 'exec plugin /bin/sh: exit 3: locked'],
    ['the end of its process', 'kill -9 $$', 'exec plugin /bin/sh: ended by SIGKILL (time limit 30000 ms): '],
  ])('is refused where the plugin gives %s', async (_what, script, message) => {
    expect(await failure(script)).toBe(message);
  });

  test('never stands in a message, for stdout is not shown', async () => {
    expect(await failure(`${echo({ token: 'hunter2' })}; exit 1`)).not.toContain('hunter2');
    expect(await failure('echo hunter2')).not.toContain('hunter2');
  });

  test('that fails with pages of words is cut short', async () => {
    const message = await failure('head -c 100000 /dev/zero | tr "\\0" x >&2; exit 1');
    expect(message).toBe(`exec plugin /bin/sh: exit 1: ${'x'.repeat(500)}`);
  });
});

describe('a plugin', () => {
  test('that hangs is killed', async () => {
    const hanging = runExecPlugin(
      { command: '/bin/sleep', args: ['600'] },
      { cluster: clusterInfo, env: {}, timeoutMs: 50 },
    );
    await expect(hanging).rejects.toThrow('exec plugin /bin/sleep: ended by SIGKILL (time limit 50 ms)');
  });

  test('that names no command, or one that is not there, says so', async () => {
    const { command: _command, ...nameless } = { command: '' };
    const options = { cluster: clusterInfo, env: {}, timeoutMs: 30_000 };
    await expect(runExecPlugin(nameless, options)).rejects.toThrow('names no command');
    await expect(runExecPlugin({ command: '/nowhere/login' }, options)).rejects.toThrow(
      'exec plugin /nowhere/login: spawn /nowhere/login ENOENT',
    );
  });

  test('gets its own variables over those it inherits', async () => {
    const env = [{ name: 'B', value: 'own' }];
    const { token } = await run(
      `printf '{"status":{"token":"%s %s"}}' "$A" "$B"`,
      { env },
      { A: 'a', B: 'b' },
    );
    expect(token).toBe('a own');
  });

  /** What the plugin is told by KUBERNETES_EXEC_INFO. */
  async function info(plugin: Partial<ExecPlugin>): Promise<unknown> {
    const { token = '' } = await run(
      `printf '{"status":{"token":"%s"}}' "$(printf %s "$KUBERNETES_EXEC_INFO" | base64 | tr -d '\\n')"`,
      plugin,
      { PATH: '/usr/bin:/bin' },
    );
    return JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
  }

  test('is told the version that it asked for, and that nobody is there to answer', async () => {
    expect(await info({})).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: { interactive: false },
    });
    expect(await info({ apiVersion: 'client.authentication.k8s.io/v1beta1' })).toMatchObject({
      apiVersion: 'client.authentication.k8s.io/v1beta1',
    });
  });

  test('is told of the cluster where it wants that', async () => {
    expect(await info({ provideClusterInfo: true })).toMatchObject({
      spec: { cluster: { server: 'https://api.test', 'certificate-authority-data': 'Q0E=' } },
    });
  });
});
