import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, waitUntilReady } from './child-process.ts';
import type { Child } from './child-process.ts';
import { removeTaskContainers } from './ecs-endpoint-containers.ts';
import { freePort } from './free-port.ts';
import { removeOnDeath } from './leftovers.ts';
import { pythonTools } from './python-tools.ts';

/** Something that speaks the AWS protocols on this machine: ECS, STS and, roughly, the rest. */
export interface EcsEndpoint {
  /** http://127.0.0.1:PORT or http://localhost:PORT, for `endpoint`, AWS_ENDPOINT_URL_ECS or AWS_ENDPOINT_URL_STS. */
  readonly url: string;
  /** Kills it and removes what it left: its folder, and in Docker mode its tasks' containers. */
  stop(): Promise<void>;
}

export interface MinistackOptions {
  /** `metadata`: tasks run on paper alone, at once. `docker`: each task is containers on an engine. */
  readonly mode: 'metadata' | 'docker';
  /** The engine of `docker` mode, as in DOCKER_HOST. */
  readonly dockerHost?: string;
  /** Checks signatures, credentials and policies. Its root credentials are `rootCredentials`. */
  readonly auth?: boolean;
}

export interface MicroburstOptions {
  /** URL of the endpoint behind it. */
  readonly upstream: string;
  readonly rules?: readonly FaultRule[];
}

/** A rule of microburst, in its own words: its description on PyPI lists them. */
export type FaultRule = Readonly<Record<string, unknown>>;

/** A proxy in front of an endpoint that fails as it is told. */
export interface Microburst extends EcsEndpoint {
  /** In place of all rules so far. */
  setRules(rules: readonly FaultRule[]): Promise<void>;
  /** The faults so far. */
  fired(): Promise<readonly { readonly operation: string; readonly action: string }[]>;
}

/** Of the account 000000000000. Where `auth` is off any others will do; a key of 12 digits is an account of its own. */
export const rootCredentials = { accessKeyId: 'test', secretAccessKey: 'test' } as const;

export const rootVariables = {
  AWS_ACCESS_KEY_ID: rootCredentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: rootCredentials.secretAccessKey,
} as const;

/** For a program that calls an endpoint of these. Whoever starts it may have an account of their own. */
export function rootEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(environment).filter(([name]) => !name.startsWith('AWS_'));
  return { ...Object.fromEntries(others), ...rootVariables };
}

const readyTimeoutMs = 60_000;

export async function startMinistack(options: MinistackOptions): Promise<EcsEndpoint> {
  if (options.mode === 'docker' && options.dockerHost === undefined)
    throw new Error('ministack needs the address of an engine (dockerHost) in Docker mode');
  const instance = `landlord-${process.pid}-${randomBytes(4).toString('hex')}`;
  const server = await startServer('ministack', (folder, port) => ({
    args: ['-m', 'ministack'],
    ready: '/_ministack/health',
    env: {
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      // Stands in the label of every container, by which they are found again.
      MINISTACK_HOSTNAME: instance,
      AUTH: String(options.auth === true),
      ...rootVariables,
      LOG_LEVEL: 'WARNING',
      TMPDIR: folder,
      STATE_DIR: join(folder, 'state'),
      S3_DATA_DIR: join(folder, 's3'),
      // Where it finds no engine, its tasks run on paper.
      DOCKER_HOST: options.dockerHost ?? `unix://${join(folder, 'no-engine.sock')}`,
    },
  }));
  const { dockerHost } = options;
  if (options.mode === 'metadata' || dockerHost === undefined) return server;
  const tasks = { dockerHost, instance };
  const forget = removeOnDeath({ kind: 'tasks', ...tasks });
  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      await removeTaskContainers(tasks);
      forget();
    },
  };
}

/**
 * Another implementation, by other people. Tasks never run: every service says that `running` of them do, until an
 * UpdateService says otherwise, and a deployment of more stays IN_PROGRESS for ever.
 */
export async function startMoto(options: { readonly running?: number } = {}): Promise<EcsEndpoint> {
  return startServer('moto', (folder, port) => ({
    args: ['-m', 'moto.server', '--host', '127.0.0.1', '--port', String(port)],
    ready: '/moto-api/data.json',
    env: { TMPDIR: folder, MOTO_ECS_SERVICE_RUNNING: String(options.running ?? 0) },
  }));
}

export async function startMicroburst(options: MicroburstOptions): Promise<Microburst> {
  const server = await startServer('microburst', async (folder, port) => {
    // JSON is YAML.
    const config = join(folder, 'microburst.yml');
    await writeFile(config, JSON.stringify({ upstream: options.upstream, rules: options.rules ?? [] }));
    return {
      args: ['-m', 'microburst', '--config', config, '--host', '127.0.0.1', '--port', String(port)],
      ready: '/_microburst/health',
      env: { TMPDIR: folder },
    };
  });
  const control = async (path: string, request?: RequestInit): Promise<unknown> => {
    const response = await fetch(`${server.url}/_microburst/${path}`, request);
    const text = await response.text();
    if (!response.ok) throw new Error(`microburst answered ${path} with HTTP ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  // Where a host has a dot in it, microburst reads the models of all 434 services to tell whose it is: 4 s of CPU.
  const url = server.url.replace('127.0.0.1', 'localhost');
  return {
    ...server,
    url,
    setRules: async (rules) => {
      const headers = { 'content-type': 'application/json' };
      await control('rules', { method: 'POST', headers, body: JSON.stringify(rules) });
    },
    fired: async () => (await control('fired')) as { operation: string; action: string }[],
  };
}

interface ServerCommand {
  readonly args: readonly string[];
  /** What answers with HTTP 200 once it is ready. */
  readonly ready: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Another port where some other program took the first one in the moment between the choice and the start. */
async function startServer(
  name: string,
  command: (folder: string, port: number) => ServerCommand | Promise<ServerCommand>,
): Promise<EcsEndpoint> {
  const python = await pythonTools();
  const folder = await mkdtemp(join(tmpdir(), `landlord-${name}-`));
  const forget = removeOnDeath({ kind: 'folder', path: folder });
  const remove = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    forget();
  };
  try {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const { args, ready, env } = await command(folder, port);
      const child = await startChild({
        name,
        command: python,
        args,
        env: { ...withoutAws(process.env), ...env },
        cwd: folder,
        logFile: join(folder, `${name}.log`),
      });
      if (await becomesReady(child, `${url}${ready}`, attempt === 5)) {
        const stop = async (): Promise<void> => {
          await child.kill();
          await remove();
        };
        return { url, stop };
      }
    }
  } catch (error) {
    await remove();
    throw error;
  }
}

/** False where its port was taken and it should be tried again; rejects for anything else. */
async function becomesReady(child: Child, url: string, isLastAttempt: boolean): Promise<boolean> {
  const answers = async (): Promise<boolean> =>
    (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok && child.ending() === undefined;
  try {
    await waitUntilReady(child, answers, readyTimeoutMs);
    return true;
  } catch (error) {
    await child.kill();
    const isTaken = error instanceof Error && /already in use/i.test(error.message);
    if (isLastAttempt || !isTaken) throw error;
    return false;
  }
}

/** A developer's own AWS settings are none of the endpoints' business. */
function withoutAws(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(AWS_|MINISTACK_|MOTO_|MICROBURST_|PYTHON|LOCALSTACK_|DOCKER_)/;
  return Object.fromEntries(Object.entries(environment).filter(([key]) => !foreign.test(key)));
}
