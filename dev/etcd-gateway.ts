import { request } from 'node:http';

const timeoutMs = 10_000;

/** The revision etcd is at, as a decimal string. Rejects while it is not ready. */
export async function etcdRevision(socketPath: string): Promise<string> {
  const answer = await post(socketPath, '/v3/kv/range', { key: Buffer.from('-').toString('base64') });
  return (answer as { header: { revision: string } }).header.revision;
}

/** Drops all history before the present revision; resolves when it is gone from disk. */
export async function compactEtcd(socketPath: string): Promise<void> {
  const revision = await etcdRevision(socketPath);
  await post(socketPath, '/v3/kv/compaction', { revision, physical: true });
}

/** etcd's gRPC calls as JSON over HTTP. */
async function post(socketPath: string, path: string, body: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method: 'POST', path, agent: false, timeout: timeoutMs });
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`etcd answered ${path} with ${response.statusCode}: ${text.slice(0, 500)}`));
      });
    });
    call.on('timeout', () =>
      call.destroy(new Error(`etcd didn't answer ${path} within ${timeoutMs / 1000} s`)),
    );
    call.on('error', reject);
    call.end(JSON.stringify(body));
  });
}
