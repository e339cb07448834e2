import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { lazyGarbageCollection, startChild, waitUntilReady } from './child-process.ts';
import type { Child } from './child-process.ts';
import { controlPlaneBinaries } from './control-plane-binaries.ts';
import { compactEtcd, etcdRevision } from './etcd-gateway.ts';
import { freePort } from './free-port.ts';
import { removeOnDeath } from './leftovers.ts';

/** The user of `operatorKubeconfigPath`, whose requests are in the audit log. */
export const operatorUser = 'landlord-operator';

export interface ControlPlaneOptions {
  /** Where its files go; a temporary folder by default. Removed by `stop()` either way. */
  readonly dir?: string;
  /** An audit.k8s.io/v1 Policy as YAML; by default the requests of `landlord-operator` are logged, without bodies. */
  readonly auditPolicy?: string;
  /** The groups of `landlord-operator`; by default system:masters, which RBAC lets do everything. */
  readonly operatorGroups?: readonly string[];
}

/** A request as the audit log has it (audit.k8s.io/v1 Event). */
export interface AuditEntry {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly apiVersion?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly userAgent?: string;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** An etcd and a kube-apiserver of their own. No controllers run: nothing collects garbage or ends a namespace. */
export interface ControlPlane {
  /** https://127.0.0.1:PORT, which stays the same over restarts of the apiserver. */
  readonly url: string;
  /** The folder with all files and logs. */
  readonly dir: string;
  /** Of the user `admin` in system:masters, who is not in the audit log. */
  readonly kubeconfigPath: string;
  /** Of the user `landlord-operator`, whose requests are in the audit log. */
  readonly operatorKubeconfigPath: string;
  readonly auditLogPath: string;
  /** Kills it with SIGKILL; etcd goes on. Resolves when it is gone. */
  killApiserver(): Promise<void>;
  /** Starts it again on the same port and the same etcd. Resolves when it is ready. */
  startApiserver(): Promise<void>;
  /** Stops it in its tracks (SIGSTOP): connections stay open and silent. */
  freezeApiserver(): void;
  thawApiserver(): void;
  /** Kills etcd with SIGKILL, and keeps its data. Resolves when it is gone. */
  killEtcd(): Promise<void>;
  /** Starts it again on the same data. Resolves when it is ready. */
  startEtcd(): Promise<void>;
  freezeEtcd(): void;
  thawEtcd(): void;
  /**
   * Drops all history from etcd. An apiserver that runs meanwhile still answers old watches from its watch cache; for
   * a 410 kill it, compact, and start it again.
   */
  compact(): Promise<void>;
  /** One entry per finished request (watches: also one when they start), in the order they ended. */
  auditEntries(): Promise<AuditEntry[]>;
  /** Kills both, removes the folder. */
  stop(): Promise<void>;
}

const defaultAuditPolicy = stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', users: [operatorUser], omitManagedFields: true }, { level: 'None' }],
});

// An apiserver is ready after 3 to 5 s on two cores; the limit is for machines that are busy with other things.
const readyTimeoutMs = 90_000;

// A unix socket in the folder both run in (etcd insists on the form of a host and a port): one port less to lose.
const etcdSocket = 'localhost:1';

/** Starts a control plane with etcd's disk syncs off; ready when it resolves. It dies with this program. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await controlPlaneBinaries();
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'landlord-control-plane-')));
  const forgetDir = removeOnDeath({ kind: 'folder', path: dir });
  const children: { etcd?: Child; apiserver?: Child } = {};
  const stop = async (): Promise<void> => {
    await children.apiserver?.kill();
    await children.etcd?.kill();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    forgetDir();
  };
  try {
    const tokens = await writeInputs(dir, options);
    children.etcd = await startEtcd(binaries, dir);
    const { apiserver, port } = await startOnFreePort(binaries, dir);
    children.apiserver = apiserver;
    const url = `https://127.0.0.1:${port}`;
    const ca = await readFile(join(dir, 'apiserver.crt'), 'utf8');
    const auditLogPath = join(dir, 'audit.log');
    return {
      url,
      dir,
      kubeconfigPath: await writeKubeconfig(dir, 'admin', { url, ca, token: tokens.admin }),
      operatorKubeconfigPath: await writeKubeconfig(dir, operatorUser, { url, ca, token: tokens.operator }),
      auditLogPath,
      killApiserver: async () => {
        await children.apiserver?.kill();
      },
      startApiserver: async () => {
        children.apiserver = await startApiserver(binaries, dir, port);
        await waitForApiserver(children.apiserver, dir, port);
      },
      freezeApiserver: () => children.apiserver?.signal('SIGSTOP'),
      thawApiserver: () => children.apiserver?.signal('SIGCONT'),
      killEtcd: async () => {
        await children.etcd?.kill();
      },
      startEtcd: async () => {
        children.etcd = await startEtcd(binaries, dir);
      },
      freezeEtcd: () => children.etcd?.signal('SIGSTOP'),
      thawEtcd: () => children.etcd?.signal('SIGCONT'),
      compact: () => compactEtcd(join(dir, etcdSocket)),
      auditEntries: async () => parseAuditLog(await readFile(auditLogPath, 'utf8').catch(() => '')),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeInputs(
  dir: string,
  options: ControlPlaneOptions,
): Promise<{ admin: string; operator: string }> {
  await mkdir(dir, { recursive: true });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(dir, 'service-account.key'), privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  });
  const tokens = { admin: randomBytes(16).toString('hex'), operator: randomBytes(16).toString('hex') };
  const groups = (options.operatorGroups ?? ['system:masters']).join(',');
  const rows = [
    `${tokens.admin},admin,admin,"system:masters"`,
    `${tokens.operator},${operatorUser},${operatorUser},"${groups}"`,
  ];
  await writeFile(join(dir, 'tokens.csv'), `${rows.join('\n')}\n`, { mode: 0o600 });
  await writeFile(join(dir, 'audit-policy.yaml'), options.auditPolicy ?? defaultAuditPolicy);
  return tokens;
}

async function startEtcd(binaries: string, dir: string): Promise<Child> {
  const client = `unix://${etcdSocket}`;
  const peer = 'unix://localhost:2';
  const etcd = await startChild({
    name: 'etcd',
    command: join(binaries, 'etcd'),
    cwd: dir,
    env: { ...process.env, ...lazyGarbageCollection },
    logFile: join(dir, 'etcd.log'),
    args: [
      '--data-dir=etcd',
      '--unsafe-no-fsync',
      '--log-level=warn',
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ],
  });
  const isReady = async (): Promise<boolean> => (await etcdRevision(join(dir, etcdSocket))) !== '';
  await waitUntilReady(etcd, isReady, readyTimeoutMs).catch(async (error: unknown) => {
    await etcd.kill();
    throw error;
  });
  return etcd;
}

/** Another port where some other program took the first one in the moment between the choice and the start. */
async function startOnFreePort(binaries: string, dir: string): Promise<{ apiserver: Child; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const apiserver = await startApiserver(binaries, dir, port);
    try {
      await waitForApiserver(apiserver, dir, port);
      return { apiserver, port };
    } catch (error) {
      await apiserver.kill();
      if (attempt === 5 || !(error as Error).message.includes('address already in use')) throw error;
    }
  }
}

async function startApiserver(binaries: string, dir: string, port: number): Promise<Child> {
  const serviceAccountKey = join(dir, 'service-account.key');
  return startChild({
    name: 'kube-apiserver',
    command: join(binaries, 'kube-apiserver'),
    cwd: dir,
    env: { ...process.env, ...lazyGarbageCollection },
    logFile: join(dir, 'kube-apiserver.log'),
    args: [
      `--etcd-servers=unix://${etcdSocket}`,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      // The address above is refused as an endpoint, and nobody here looks for the apiserver through a Service.
      '--endpoint-reconciler-type=none',
      // It makes its certificate and the CA of it here, apiserver.crt holding both, and finds them again at a restart.
      `--cert-dir=${dir}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${serviceAccountKey}`,
      `--service-account-signing-key-file=${serviceAccountKey}`,
      `--token-auth-file=${join(dir, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--disable-admission-plugins=ServiceAccount',
      '--allow-privileged',
      // Nobody here crowds out anybody, and its objects and queues are a quarter of what a start costs.
      '--enable-priority-and-fairness=false',
      `--audit-policy-file=${join(dir, 'audit-policy.yaml')}`,
      `--audit-log-path=${join(dir, 'audit.log')}`,
      '--audit-log-maxsize=4000',
      // Blocking: what a client has seen done is in the file (but for the last instant of a request).
      '--audit-log-mode=blocking',
    ],
  });
}

async function waitForApiserver(apiserver: Child, dir: string, port: number): Promise<void> {
  const isReady = async (): Promise<boolean> => {
    const ca = await readFile(join(dir, 'apiserver.crt'), 'utf8');
    return new Promise((resolve, reject) => {
      const call = request({
        host: '127.0.0.1',
        port,
        path: '/readyz',
        ca,
        agent: false,
        timeout: 2_000,
      });
      call.on('response', (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      call.on('timeout', () => call.destroy(new Error('no answer to /readyz within 2 s')));
      call.on('error', reject);
      call.end();
    });
  };
  await waitUntilReady(apiserver, isReady, readyTimeoutMs);
}

async function writeKubeconfig(
  dir: string,
  user: string,
  access: { readonly url: string; readonly ca: string; readonly token: string },
): Promise<string> {
  const path = join(dir, `${user}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'landlord-dev',
        cluster: {
          server: access.url,
          'certificate-authority-data': Buffer.from(access.ca).toString('base64'),
        },
      },
    ],
    users: [{ name: user, user: { token: access.token } }],
    contexts: [{ name: 'landlord-dev', context: { cluster: 'landlord-dev', user, namespace: 'default' } }],
    'current-context': 'landlord-dev',
  };
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}

/** Without the last line where it is still being written. */
export function parseAuditLog(text: string): AuditEntry[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEntry);
}
