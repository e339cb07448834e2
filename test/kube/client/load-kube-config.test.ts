import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadKubeConfig } from '../../../src/kube/client/load-kube-config.ts';

async function kubeConfigFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-kubeconfig-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'config');
  await writeFile(path, text);
  return path;
}

const clusterInfo = `
clusters: [{name: c, cluster: {server: "https://example.test:6443", tls-server-name: api.test}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`;

test('keys that client-node drops are there: tokenFile, as-groups, and files relative to the kubeconfig', async () => {
  const path = await kubeConfigFile(`${clusterInfo}
users: [{name: u, user: {tokenFile: secrets/token, as: jane, as-uid: "7", as-groups: [a, b], exec: {command: bin/login}}}]
`);
  const config = loadKubeConfig(path);
  expect(config.getCurrentUser()).toMatchObject({
    tokenFile: join(path, '../secrets/token'),
    impersonateUser: 'jane',
    impersonateUid: '7',
    impersonateGroups: ['a', 'b'],
    exec: { command: join(path, '../bin/login') },
  });
  expect(config.getCurrentCluster()?.tlsServerName).toBe('api.test');
});

test('a file that is missing, broken, or without a current cluster is named in one line', async () => {
  const broken = await kubeConfigFile('clusters: [');
  const empty = await kubeConfigFile('clusters: []\nusers: []\ncontexts: []\ncurrent-context: none\n');
  for (const path of ['/nowhere/kubeconfig', broken, empty]) {
    let message = '';
    try {
      loadKubeConfig(path);
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toContain(path);
    expect(message).not.toContain('\n');
  }
});

test('what is absolute, or a bare command that $PATH finds, stays as it is written', async () => {
  const path = await kubeConfigFile(`${clusterInfo}
users:
  - {name: other, user: {tokenFile: never/this}}
  - {name: u, user: {tokenFile: /var/token, exec: {command: aws}}}
  - {name: nobody}
`);
  const user = loadKubeConfig(path).getCurrentUser();
  expect(user).toMatchObject({ tokenFile: '/var/token', exec: { command: 'aws' } });
  expect(user).not.toHaveProperty('impersonateUid');
  expect(user).not.toHaveProperty('impersonateGroups');
});

test('a named file may talk to any cluster, even to the one that nothing configured falls back to', async () => {
  const path = await kubeConfigFile(
    clusterInfo.replace('https://example.test:6443', 'http://localhost:8080'),
  );
  expect(loadKubeConfig(path).getCurrentCluster()?.server).toBe('http://localhost:8080');
});

test('without a name it is $KUBECONFIG, with what client-node drops', async () => {
  const path = await kubeConfigFile(`${clusterInfo}
users: [{name: u, user: {tokenFile: token}}]
`);
  vi.stubEnv('KUBECONFIG', path);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(loadKubeConfig().getCurrentUser()).toMatchObject({ tokenFile: join(path, '../token') });
});

test('where nothing is configured there is no cluster, and that is said', () => {
  for (const name of ['KUBECONFIG', 'KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', '/nowhere');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(() => loadKubeConfig()).toThrow(
    'no Kubernetes cluster in $KUBECONFIG, ~/.kube/config or the service account of the pod: ' +
      'name a kubeconfig or run in a cluster',
  );
});
