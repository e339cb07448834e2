import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { withDeadline } from '../../../async/deadline.ts';
import { runExecPlugin } from './exec-plugin.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { KubeUnreachableError, messageOf } from '../kube-api-error.ts';
import type { KubeUser } from '../load-kube-config.ts';

export interface TlsOptions {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
}

export interface Credentials {
  readonly headers: Record<string, string | string[]>;
  readonly tls: TlsOptions;
  /** Changes when CA, certificate or key do: the connections must then be made anew. */
  readonly tlsFingerprint: string;
}

export interface CredentialSource {
  /** Those that are to be used for now, where there are such: most requests have nothing to wait for. */
  known(): Credentials | undefined;
  /** Rejects with KubeUnreachableError where no credentials can be got. */
  current(): Promise<Credentials>;
  /** Call with what a 401 was answered to: the next `current()` gets fresh ones. */
  invalidate(used: Credentials): void;
}

export interface CredentialOptions {
  readonly kubeConfig: KubeConfig;
  readonly logger: Logger;
  /** The environment that an exec plugin inherits; required where the kubeconfig has one. */
  readonly execEnv?: Record<string, string | undefined>;
  /** One fetch of credentials may take this long. */
  readonly timeoutMs?: number;
}

interface Loaded {
  credentials: Credentials;
  refreshAtMs: number;
  expiresAtMs: number;
}

/** Files are read again after this long: the kubelet rotates tokens well before they end (client-go: 1 min). */
const fileTtlMs = 60_000;
/** Credentials are renewed this long before they end, for clocks differ and requests take time. */
const expirySkewMs = 30_000;
/** After a failed renewal of credentials that still hold, and between two answers to a 401. */
const renewalPauseMs = 5_000;

/** One source for all requests of a client: one fetch at a time, however many wait for it. */
export function createCredentialSource(options: CredentialOptions): CredentialSource {
  const { logger, timeoutMs = 30_000 } = options;
  const { cluster, user } = currentParts(options);
  let loaded: Loaded | undefined;
  let inFlight: Promise<Credentials> | undefined;
  // A plugin is killed at the timeout, and says so; this is for what else may hang.
  const deadline = {
    timeoutMs: timeoutMs + 1_000,
    late: () => new Error(`no answer within ${timeoutMs} ms`),
  };
  let invalidatedAtMs = Number.NEGATIVE_INFINITY;

  async function refresh(): Promise<Credentials> {
    try {
      loaded = await withDeadline(deadline, () => load(cluster, user, { ...options, timeoutMs }));
      return loaded.credentials;
    } catch (error) {
      const message = messageOf(error);
      if (loaded && Date.now() < loaded.expiresAtMs) {
        logger.warn(
          { error: message },
          'renewing the Kubernetes credentials failed; the present ones still hold',
        );
        loaded.refreshAtMs = Date.now() + renewalPauseMs;
        return loaded.credentials;
      }
      throw new KubeUnreachableError(`no Kubernetes credentials: ${message}`, { cause: error });
    }
  }

  const known = (): Credentials | undefined =>
    loaded && Date.now() < loaded.refreshAtMs ? loaded.credentials : undefined;

  return {
    known,
    async current() {
      const present = known();
      if (present) return present;
      inFlight ??= refresh().finally(() => (inFlight = undefined));
      return inFlight;
    },
    invalidate(used) {
      // A server that refuses everybody must not make each request start a plugin.
      if (loaded?.credentials !== used || Date.now() - invalidatedAtMs < renewalPauseMs) return;
      invalidatedAtMs = Date.now();
      loaded = undefined;
    },
  };
}

function currentParts({ kubeConfig, execEnv }: CredentialOptions): { cluster: Cluster; user: KubeUser } {
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has no current cluster: check its current-context');
  const user: KubeUser = kubeConfig.getCurrentUser() ?? { name: 'anonymous' };
  if (user.exec && !execEnv)
    throw new Error(`user ${user.name} has an exec plugin: it needs execEnv to run in`);
  return { cluster, user };
}

type LoadOptions = CredentialOptions & { timeoutMs: number };

async function load(cluster: Cluster, user: KubeUser, options: LoadOptions): Promise<Loaded> {
  const tls = await readTls(cluster, user);
  const headers: Record<string, string | string[]> = impersonation(user);
  let expiresAtMs = Number.POSITIVE_INFINITY;
  let refreshAtMs = Date.now() + fileTtlMs;
  // The order is client-go's: a token file wins over a token, both over a password.
  const tokenFile = user.tokenFile ?? (user.authProvider?.config?.tokenFile as string | undefined);
  if (tokenFile) {
    headers['authorization'] = `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`;
  } else if (user.token) {
    headers['authorization'] = `Bearer ${user.token.trim()}`;
  } else if (user.username) {
    const basic = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
    headers['authorization'] = `Basic ${basic}`;
  } else if (user.exec) {
    const { timeoutMs, execEnv: env = {} } = options;
    const credential = await runExecPlugin(user.exec as ExecPlugin, { cluster, env, timeoutMs });
    if (credential.token) headers['authorization'] = `Bearer ${credential.token}`;
    if (credential.clientCertificateData) tls.cert = Buffer.from(credential.clientCertificateData);
    if (credential.clientKeyData) tls.key = Buffer.from(credential.clientKeyData);
    if (credential.expirationTimestamp) expiresAtMs = Date.parse(credential.expirationTimestamp);
    // A plugin is costly (it may ask a cloud), so only its own expiry or a 401 runs it again.
    refreshAtMs = renewalMs(Date.now(), expiresAtMs);
  } else if (user.authProvider) {
    // OIDC, GCP, Azure: client-node knows these; it keeps and renews their tokens itself.
    const filled: { headers: Record<string, string> } = { headers: {} };
    await options.kubeConfig.applyToHTTPSOptions(filled);
    if (filled.headers['Authorization']) headers['authorization'] = filled.headers['Authorization'];
  }
  return { credentials: { headers, tls, tlsFingerprint: fingerprint(tls) }, refreshAtMs, expiresAtMs };
}

/** One that holds for less than twice the skew is renewed half-way, and one whose end has come only after a pause. */
function renewalMs(nowMs: number, expiresAtMs: number): number {
  const leftMs = expiresAtMs - nowMs;
  return nowMs + Math.max(renewalPauseMs, leftMs - Math.min(expirySkewMs, leftMs / 2));
}

async function readTls(cluster: Cluster, user: KubeUser): Promise<TlsOptions> {
  const ca = await fileOrData(cluster.caFile, cluster.caData);
  const cert = await fileOrData(user.certFile, user.certData);
  const key = await fileOrData(user.keyFile, user.keyData);
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
    ...(cluster.skipTLSVerify && { rejectUnauthorized: false }),
  };
}

async function fileOrData(file?: string | null, base64?: string | null): Promise<Buffer | undefined> {
  if (file) return readFile(file);
  return base64 ? Buffer.from(base64, 'base64') : undefined;
}

function impersonation(user: KubeUser): Record<string, string | string[]> {
  return {
    ...(user.impersonateUser && { 'impersonate-user': user.impersonateUser }),
    ...(user.impersonateUid && { 'impersonate-uid': user.impersonateUid }),
    ...(user.impersonateGroups?.length && { 'impersonate-group': user.impersonateGroups }),
  };
}

function fingerprint(tls: TlsOptions): string {
  const hash = createHash('sha256');
  for (const part of [tls.ca, tls.cert, tls.key]) hash.update(part ?? '').update('\0');
  return hash.digest('base64');
}
