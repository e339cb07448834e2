import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { sleep } from '../../../../../async/sleep.ts';
import { lastLine, sshFailure } from './ssh-failure.ts';
import { loginArguments } from './ssh-options.ts';
import type { SshPath } from './ssh-options.ts';

/** An ssh that is logged in and takes sessions in. */
export interface SshLogin {
  readonly path: SshPath;
  /** Resolves when it takes sessions in; rejects where it ends before, with what it said. */
  readonly ready: Promise<void>;
  /** Resolves once it has ended, with the last line that it said. */
  readonly ended: Promise<string>;
  close(): void;
}

/**
 * A login would outlive a process that is killed: nothing is read from it, and nothing written. So a shell ends it when its own
 * standard input does, and removes its folder. The shell lets go of the standard error: that one ends with the login.
 */
const whileInputIsOpen = `
folder=$1
shift
trap 'rm -rf -- "$folder" 2>/dev/null' EXIT
command -v ssh >/dev/null || { echo 'there is no program ssh: install an OpenSSH client' >&2; exit 1; }
ssh "$@" &
exec 2>/dev/null
cat >/dev/null
kill $!
wait $!
`;

const lookMs = 20;

/** The folder that `path` has its socket in is the login's own, and goes with it. */
export function startSshLogin(path: SshPath): SshLogin {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const folder = dirname(path.socketPath);
  // Detached: an interrupt at the terminal is for whoever closes it, and reaches it by that.
  const child = spawn('/bin/sh', ['-c', whileInputIsOpen, 'sh', folder, ...loginArguments(path)], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
  const close = (): void => void child.stdin.end();
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1000);
  });
  child.stderr.on('close', () => {
    resolve(lastLine(said));
    close();
  });
  child.stdin.on('error', () => undefined);
  child.on('error', ({ message }) => resolve(message));
  // Where the shell could not.
  child.on('close', () => rmSync(folder, { recursive: true, force: true }));
  child.unref();
  for (const end of [child.stdin, child.stderr]) if (end instanceof Socket) end.unref();
  const ready = untilThere(path.socketPath, ended);
  ready.catch(() => undefined);
  return { path, ready, ended, close };
}

/** One that could not even be started, for `reason`. */
export function failedSshLogin(path: SshPath, reason: string): SshLogin {
  const ready = Promise.reject(sshFailure(reason));
  ready.catch(() => undefined);
  return { path, ready, ended: Promise.resolve(reason), close: () => undefined };
}

/** ssh makes its socket once it is logged in. */
async function untilThere(socketPath: string, ended: Promise<string>): Promise<void> {
  let said: string | undefined;
  void ended.then((words) => (said = words));
  while (!existsSync(socketPath)) {
    if (said !== undefined) throw sshFailure(said);
    await sleep(lookMs);
  }
}
