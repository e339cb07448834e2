import { readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { startKillingProxy } from './killing-proxy.ts';
import type { KillingProxy, Upstream } from './killing-proxy.ts';

interface KubeconfigFile {
  readonly clusters: readonly [{ readonly cluster: ClusterEntry }];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

interface ClusterEntry {
  readonly server: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
}

/** A killing proxy in front of the kubeconfig's apiserver, and at `proxiedPath` a kubeconfig that goes through it. */
export async function startApiserverProxy(
  kubeconfigPath: string,
  proxiedPath: string,
  delayMs: Upstream['delayMs'] = () => 0,
): Promise<KillingProxy> {
  const kubeconfig = parse(await readFile(kubeconfigPath, 'utf8')) as KubeconfigFile;
  const { cluster } = kubeconfig.clusters[0];
  const { hostname, port } = new URL(cluster.server);
  const proxy = await startKillingProxy(
    { port: 0 },
    {
      secure: true,
      options: { host: hostname, port, ca: await authority(cluster) },
      delayMs,
      headers: { host: `${hostname}:${port}`, authorization: `Bearer ${kubeconfig.users[0].user.token}` },
    },
  );
  const proxied = {
    ...kubeconfig,
    clusters: [{ ...kubeconfig.clusters[0], cluster: { server: `http://127.0.0.1:${proxy.port}` } }],
  };
  await writeFile(proxiedPath, stringify(proxied));
  return proxy;
}

async function authority(cluster: ClusterEntry): Promise<string> {
  const data = cluster['certificate-authority-data'];
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  return readFile(cluster['certificate-authority'] ?? '', 'utf8');
}
