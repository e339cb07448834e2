import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { parse } from 'yaml';

export interface KubeRequest {
  readonly method?: string;
  /** With its query: `/api/v1/namespaces?limit=1`. */
  readonly path: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  /** `application/json` by default. */
  readonly contentType?: string;
  /** 30 s by default, from the last byte on. */
  readonly timeoutMs?: number;
}

export interface KubeResponse {
  readonly status: number;
  readonly body: unknown;
}

interface Kubeconfig {
  readonly clusters: readonly { cluster: { server: string; 'certificate-authority-data': string } }[];
  readonly users: readonly { user: { token: string } }[];
}

/**
 * One request on a connection of its own, by the kubeconfig of a control plane of control-plane.ts. Any answer
 * resolves, whatever its status; only a server that can't be reached or is silent rejects.
 */
export async function kubeRequest(kubeconfigPath: string, options: KubeRequest): Promise<KubeResponse> {
  const config: Kubeconfig = parse(await readFile(kubeconfigPath, 'utf8'));
  const cluster = config.clusters[0]?.cluster;
  const token = config.users[0]?.user.token;
  if (cluster === undefined || token === undefined) {
    throw new Error(
      `${kubeconfigPath} is not a kubeconfig with a token and a CA, as control-plane.ts writes them`,
    );
  }
  const { method = 'GET', path, body, contentType = 'application/json', timeoutMs = 30_000 } = options;
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, cluster.server), {
      method,
      agent: false,
      timeout: timeoutMs,
      ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': contentType }),
      },
    });
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parseBody(text) }));
      response.on('error', reject);
    });
    call.on('timeout', () =>
      call.destroy(new Error(`${path} was not answered within ${timeoutMs / 1000} s`)),
    );
    call.on('error', reject);
    if (body === undefined) call.end();
    else call.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

/** A watch answers with a line per event, and some errors are plain text: both stay strings. */
function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
