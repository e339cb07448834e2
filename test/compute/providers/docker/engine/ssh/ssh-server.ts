import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startChild, waitUntilReady } from '../../../../../../dev/child-process.ts';
import { programFromDebian } from '../../../../../../dev/debian-packages.ts';
import { freePort } from '../../../../../../dev/free-port.ts';
import { removeOnDeath } from '../../../../../../dev/leftovers.ts';
import { runCommand } from '../../../../../../dev/run-command.ts';

/** A real sshd on this machine, by which `docker` reaches an engine. */
export interface SshServer {
  /** `ssh://USER@127.0.0.1:PORT` */
  readonly host: string;
  /** To stand first in the PATH: an ssh that has the server's key and one of its own, and knows no others. */
  readonly clientFolder: string;
  /** An empty folder for temporary files. */
  readonly temporaryFolder: string;
  logins(): Promise<SshLoginsSeen>;
  /** The key is none of its any more. */
  refuseKeys(): Promise<void>;
  /** Of the processes of this machine that are logins or sessions of a client at it. */
  clients(kind: 'login' | 'session'): readonly number[];
}

/** By the server's log. */
export interface SshLoginsSeen {
  readonly accepted: number;
  readonly refused: number;
  /** The most that there were at once. */
  readonly peak: number;
}

const advice = 'install the Debian packages openssh-server and openssh-client';
const readyTimeoutMs = 30_000;

/** Ended with the test. `dockerHost`: where the docker command there finds its engine. `options`: lines of sshd_config. */
export async function startSshServer(
  dockerHost: string,
  options: readonly string[] = [],
): Promise<SshServer> {
  const sshd = await programFromDebian('sshd', ['openssh-server'], advice);
  const ssh = await programFromDebian('ssh', ['openssh-client'], advice);
  const folder = await mkdtemp(join(tmpdir(), 'landlord-sshd-'));
  const forget = removeOnDeath({ kind: 'folder', path: folder });
  onTestFinished(async () => {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    forget();
  });
  const port = await freePort();
  await makeKeys(folder);
  await makeClient(folder, ssh, port);
  await writeFile(
    join(folder, 'sshd_config'),
    serverConfig(folder, port, [...options, `SetEnv DOCKER_HOST=${dockerHost}`]),
  );
  await makePrivilegeFolder();
  const logFile = join(folder, 'sshd.log');
  const args = ['-D', '-e', '-f', join(folder, 'sshd_config')];
  const child = await startChild({ name: 'sshd', command: sshd, args, logFile });
  onTestFinished(() => child.kill());
  await waitUntilReady(child, () => answers(port), readyTimeoutMs);
  const host = `ssh://${userInfo().username}@127.0.0.1:${port}`;
  return {
    host,
    clientFolder: join(folder, 'bin'),
    temporaryFolder: join(folder, 'tmp'),
    logins: async () => loginsIn(await readFile(logFile, 'utf8')),
    refuseKeys: async () => writeFile(join(folder, 'authorized'), ''),
    clients: (kind) => clientsOf(host, kind),
  };
}

function serverConfig(folder: string, port: number, options: readonly string[]): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${folder}/authorized`,
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    // The folder is of the user that runs the tests, below one that is everybody's.
    'StrictModes no',
    'PidFile none',
    'LogLevel VERBOSE',
    ...options,
    '',
  ].join('\n');
}

async function makeKeys(folder: string): Promise<void> {
  for (const name of ['host', 'id']) {
    await runCommand('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
  }
  await writeFile(join(folder, 'authorized'), await readFile(join(folder, 'id.pub'), 'utf8'));
}

async function makeClient(folder: string, ssh: string, port: number): Promise<void> {
  for (const name of ['bin', 'tmp']) await mkdir(join(folder, name));
  const key = await readFile(join(folder, 'host.pub'), 'utf8');
  await writeFile(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${key}`);
  const config = [
    `IdentityFile ${folder}/id`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${folder}/known_hosts`,
    'GlobalKnownHostsFile /dev/null',
    '',
  ];
  await writeFile(join(folder, 'ssh_config'), config.join('\n'));
  const program = join(folder, 'bin', 'ssh');
  await writeFile(program, `#!/bin/sh\nexec '${ssh}' -F '${folder}/ssh_config' "$@"\n`);
  await chmod(program, 0o755);
}

/** sshd wants it where it runs as root; a service manager makes it else. */
async function makePrivilegeFolder(): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const made = await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  if (made !== undefined) onTestFinished(async () => rmdir('/run/sshd').catch(() => undefined));
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('data', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('end', () => finish(false));
  });
}

function loginsIn(log: string): SshLoginsSeen {
  const open = new Set<string>();
  let [accepted, refused, peak] = [0, 0, 0];
  for (const line of log.split('\n')) {
    const port = / port (\d+)/.exec(line)?.[1] ?? '';
    if (line.startsWith('Accepted publickey')) {
      accepted += 1;
      open.add(port);
      peak = Math.max(peak, open.size);
    } else if (/^(Disconnected from|Connection (closed|reset) by)/.test(line)) {
      if (line.includes('authenticating user')) refused += 1;
      open.delete(port);
    }
  }
  return { accepted, refused, peak };
}

function clientsOf(host: string, kind: 'login' | 'session'): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      const words = commandLine(pid);
      // Not the shell that keeps it.
      return (
        words[0]?.endsWith('ssh') === true &&
        words.includes(host) &&
        words.includes('-M') === (kind === 'login')
      );
    })
    .map(Number);
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
