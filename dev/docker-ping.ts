import { request } from 'node:http';

export const pingTimeoutMs = 3_000;

/** Undefined when an engine answers at this unix socket, else why not. */
export async function pingSocket(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', agent: false, timeout: pingTimeoutMs });
    ping.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `HTTP ${response.statusCode}`);
    });
    ping.on('timeout', () => ping.destroy(new Error(`no answer within ${pingTimeoutMs / 1000} s`)));
    ping.on('error', (error) => resolve(error.message));
    ping.end();
  });
}
