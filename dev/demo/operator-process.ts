import { readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { startChild, waitUntilReady } from '../child-process.ts';
import { freePort } from '../free-port.ts';

const programPath = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const readyTimeoutMs = 60_000;

/** Passes that run get 20 s to end. */
const stopTimeoutMs = 25_000;

export interface OperatorProcess {
  readonly logFile: string;
  readonly metricsUrl: string;
  /** Undefined while it runs, then how it ended. */
  ending(): string | undefined;
  lastLogLines(count: number): Promise<string>;
  /** As Kubernetes does it: SIGTERM first. */
  stop(): Promise<void>;
}

/** Starts `landlord run` from the sources; ready when it resolves. It dies with this program. */
export async function startOperator(options: {
  readonly folder: string;
  readonly kubeconfigPath: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
}): Promise<OperatorProcess> {
  const { folder, kubeconfigPath, config, env } = options;
  const address = `127.0.0.1:${await freePort()}`;
  const configFile = join(folder, 'landlord.yaml');
  const logFile = join(folder, 'operator.log');
  await writeFile(configFile, stringify({ ...config, server: { address }, log: { format: 'text' } }));
  const child = await startChild({
    name: 'the operator',
    command: process.execPath,
    args: [programPath, 'run', '--config', configFile, '--kubeconfig', kubeconfigPath],
    env,
    logFile,
  });
  try {
    await waitUntilReady(child, () => answersOk(`http://${address}/readyz`), readyTimeoutMs);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return {
    logFile,
    metricsUrl: `http://${address}/metrics`,
    ending: () => child.ending(),
    lastLogLines: async (count) => {
      const log = await readFile(logFile, 'utf8').catch(() => '');
      return log.trimEnd().split('\n').slice(-count).join('\n');
    },
    stop: async () => {
      child.signal('SIGTERM');
      const deadline = Date.now() + stopTimeoutMs;
      while (child.ending() === undefined && Date.now() < deadline) await sleep(50);
      await child.kill();
    },
  };
}

async function answersOk(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const call = get(url, { agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 2 s')));
    call.on('error', reject);
  });
}
