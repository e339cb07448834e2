import { spawn } from 'node:child_process';
import type { Cluster } from '@kubernetes/client-node';

/** The `exec` block of a kubeconfig user. */
export interface ExecPlugin {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: string[] | null;
  readonly env?: { name: string; value: string }[] | null;
  readonly provideClusterInfo?: boolean;
}

export interface ExecCredential {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expirationTimestamp?: string;
}

export interface ExecOptions {
  readonly cluster: Cluster;
  /** The environment that the plugin inherits. */
  readonly env: Record<string, string | undefined>;
  readonly timeoutMs: number;
}

/**
 * Runs a client-go credential plugin once. Rejects with a message that names the command and holds what it wrote
 * to stderr; stdout, where the credential is, is never shown. A plugin that takes too long is killed.
 */
export async function runExecPlugin(plugin: ExecPlugin, options: ExecOptions): Promise<ExecCredential> {
  if (!plugin.command) throw new Error('the exec plugin in the kubeconfig names no command');
  const stdout = await collectStdout(plugin.command, plugin, options);
  let status: ExecCredential | undefined;
  try {
    status = (JSON.parse(stdout) as { status?: ExecCredential }).status;
  } catch {
    throw new Error(`exec plugin ${plugin.command} printed no JSON`);
  }
  if (!status || !(status.token || status.clientCertificateData)) {
    throw new Error(`exec plugin ${plugin.command} gave neither a token nor a client certificate`);
  }
  return status;
}

function collectStdout(command: string, plugin: ExecPlugin, options: ExecOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, plugin.args ?? [], {
      env: pluginEnv(plugin, options),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < 500) stderr += text;
    });
    child.on('error', (error) => reject(new Error(`exec plugin ${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const how = signal ? `ended by ${signal} (time limit ${options.timeoutMs} ms)` : `exit ${code}`;
      reject(new Error(`exec plugin ${command}: ${how}: ${stderr.trim().slice(0, 500)}`));
    });
  });
}

function pluginEnv(plugin: ExecPlugin, { cluster, env }: ExecOptions): Record<string, string | undefined> {
  const own = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
  const info = {
    apiVersion: plugin.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(plugin.provideClusterInfo
        ? { cluster: { server: cluster.server, 'certificate-authority-data': cluster.caData } }
        : {}),
    },
  };
  return { ...env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
}
