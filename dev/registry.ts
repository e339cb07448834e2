import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startChild, waitUntilReady } from './child-process.ts';
import type { Child } from './child-process.ts';
import { programFromDebian } from './debian-packages.ts';
import { removeOnDeath } from './leftovers.ts';
import { randomRegistryAddress } from './registry-address.ts';
import { runCommand } from './run-command.ts';

export interface RegistryCredentials {
  readonly user: string;
  readonly password: string;
}

/** What it takes to push to a registry. */
export interface RegistryAccess {
  /** Of this machine's loopback, `127.83.12.7:5959`, as in image references. */
  readonly address: string;
  readonly auth?: RegistryCredentials | undefined;
}

/**
 * An image registry of its own, empty at first, over plain HTTP. Private engines reach it at its address, as engines on
 * this machine's network do.
 */
export interface Registry extends RegistryAccess {
  /** Makes it silent (SIGSTOP): connections are taken and not answered. */
  pause(): void;
  resume(): void;
  /** Its address refuses connections until it is started again, with the images that it had. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Kills it and removes its data. */
  stop(): Promise<void>;
}

const readyTimeoutMs = 30_000;

const advice =
  'install the Debian package docker-registry, or put a program docker-registry (github.com/distribution/distribution, version 2) on the PATH';

/** Starts Debian's docker-registry, which is installed by apt where it is missing. With `auth` all else is refused. */
export async function startRegistry(
  options: { readonly auth?: RegistryCredentials } = {},
): Promise<Registry> {
  const program = await programFromDebian('docker-registry', ['docker-registry'], advice);
  const folder = await mkdtemp(join(tmpdir(), 'landlord-registry-'));
  const forget = removeOnDeath({ kind: 'folder', path: folder });
  const remove = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    forget();
  };
  try {
    const { child: first, address } = await startAtFreeAddress(program, folder, options.auth);
    let child = first;
    return {
      address,
      auth: options.auth,
      pause: () => child.signal('SIGSTOP'),
      resume: () => child.signal('SIGCONT'),
      kill: async () => child.kill(),
      start: async () => {
        child = await startIn(program, folder, address);
      },
      stop: async () => {
        await child.kill();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Another address where somebody has the first one. */
async function startAtFreeAddress(
  program: string,
  folder: string,
  auth: RegistryCredentials | undefined,
): Promise<{ child: Child; address: string }> {
  for (let attempt = 1; ; attempt += 1) {
    const address = randomRegistryAddress();
    await writeFile(configIn(folder), stringify(await configuration(folder, address, auth)), { mode: 0o600 });
    try {
      return { child: await startIn(program, folder, address), address };
    } catch (error) {
      const isTaken = error instanceof Error && error.message.includes('address already in use');
      if (attempt === 5 || !isTaken) throw error;
    }
  }
}

/** As its configuration says. */
async function startIn(program: string, folder: string, address: string): Promise<Child> {
  const child = await startChild({
    name: 'docker-registry',
    command: program,
    args: ['serve', configIn(folder)],
    // REGISTRY_… variables would override the file.
    env: Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('REGISTRY_'))),
    logFile: join(folder, 'registry.log'),
  });
  try {
    await waitUntilReady(child, () => answers(address), readyTimeoutMs);
    return child;
  } catch (error) {
    await child.kill();
    throw error;
  }
}

function configIn(folder: string): string {
  return join(folder, 'config.yml');
}

async function configuration(
  folder: string,
  address: string,
  auth: RegistryCredentials | undefined,
): Promise<Record<string, unknown>> {
  const config = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: address, secret: randomBytes(16).toString('hex') },
  };
  if (auth === undefined) return config;
  const path = join(folder, 'htpasswd');
  await writeFile(path, `${auth.user}:${await bcrypt(auth.password)}\n`, { mode: 0o600 });
  return { ...config, auth: { htpasswd: { realm: 'landlord', path } } };
}

/**
 * The registry knows bcrypt alone, which neither Node nor openssl has; the crypt() of Debian's C library does, and
 * perl, which every Debian has, gives it. The password goes through standard input, not through the process list.
 */
async function bcrypt(password: string): Promise<string> {
  const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const salt = [...randomBytes(21)].map((byte) => alphabet[byte % 64]).join('');
  // The salt is 128 bits in 22 characters of 6: of the last one only 2 bits count, and a dot has none set.
  const settings = `$2b$05$${salt}.`;
  const script = 'local $/; my $password = <STDIN>; print crypt($password, $ARGV[0]);';
  const hash = await runCommand('perl', ['-e', script, settings], { input: password });
  if (hash.startsWith(settings.slice(0, -1))) return hash;
  throw new Error(
    'the crypt() of this system has no bcrypt: a registry with a password needs Debian 11 or newer',
  );
}

async function answers(address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(`http://${address}/v2/`, { agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 || response.statusCode === 401);
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 2 s')));
    request.on('error', reject);
  });
}
