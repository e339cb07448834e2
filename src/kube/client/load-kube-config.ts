import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { User } from '@kubernetes/client-node';
import { parse } from 'yaml';

/** A kubeconfig user with the keys that client-node 2.0.1 drops while it reads the file. */
export type KubeUser = User & {
  tokenFile?: string;
  impersonateUid?: string;
  impersonateGroups?: string[];
};

interface RawKubeConfig {
  readonly users?: {
    name?: string;
    user?: { tokenFile?: string; 'as-uid'?: string; 'as-groups'?: string[] };
  }[];
}

/** What client-node falls back to where nothing is configured; nobody's cluster is there. */
const noCluster = 'http://localhost:8080';

/**
 * The kubeconfig at `path`, else, as kubectl does it, $KUBECONFIG, ~/.kube/config, or the pod's service account.
 * Throws an Error of one line where there is no cluster to talk to.
 */
export function loadKubeConfig(path?: string): KubeConfig {
  const config = new CompleteKubeConfig();
  const where = path ?? '$KUBECONFIG, ~/.kube/config or the service account of the pod';
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`kubeconfig ${where} can't be read: ${why}`, { cause: error });
  }
  const cluster = config.getCurrentCluster();
  if (!cluster || (path === undefined && cluster.server === noCluster)) {
    const hint = path === undefined ? 'name a kubeconfig or run in a cluster' : 'check its current-context';
    throw new Error(`no Kubernetes cluster in ${where}: ${hint}`);
  }
  return config;
}

/**
 * Adds what client-node leaves out: `tokenFile`, `as-uid`, `as-groups`, and exec commands that are relative to
 * the file. With several files in $KUBECONFIG, that holds for the users of the first one.
 */
class CompleteKubeConfig extends KubeConfig {
  override loadFromFile(file: string, opts?: Parameters<KubeConfig['loadFromFile']>[1]): void {
    super.loadFromFile(file, opts);
    const directory = join(file, '..');
    const raw = parse(readFileSync(file, 'utf8')) as RawKubeConfig | null;
    for (const { name, user } of raw?.users ?? []) {
      const known: KubeUser | undefined = this.users.find((candidate) => candidate.name === name);
      if (!known || !user) continue;
      if (user.tokenFile) known.tokenFile = absolute(directory, user.tokenFile);
      if (user['as-uid']) known.impersonateUid = user['as-uid'];
      if (user['as-groups']) known.impersonateGroups = user['as-groups'];
      const exec = known.exec as { command?: string } | null | undefined;
      if (exec?.command?.includes('/')) exec.command = absolute(directory, exec.command);
    }
  }
}

function absolute(directory: string, path: string): string {
  return isAbsolute(path) ? path : join(directory, path);
}
