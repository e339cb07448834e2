import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSshLogin } from './ssh-login.ts';
import { SharedSshLogins } from './ssh-logins.ts';
import type { SshLogins } from './ssh-logins.ts';

/** The kernel takes paths of sockets up to 103 bytes on some systems; ssh binds to one that is 17 longer than its own. */
const longestFolder = 60;
/** A container whose file system is read-only has the last one all the same. */
const folders = (): readonly string[] =>
  [tmpdir(), '/tmp', '/dev/shm'].filter((folder) => Buffer.byteLength(folder) <= longestFolder);

/** Logins at `destination`, their sockets in a folder that nobody else can look into. */
export function sshLoginsAt(destination: string): SshLogins {
  let folder: string | undefined;
  let started = 0;
  const logins = new SharedSshLogins(() => {
    folder ??= privateFolder();
    started += 1;
    return startSshLogin({ destination, socketPath: join(folder, String(started)) });
  });
  return {
    open: () => logins.open(),
    close() {
      logins.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function privateFolder(): string {
  let failure: unknown;
  for (const folder of folders()) {
    try {
      return mkdtempSync(join(folder, 'landlord-ssh-'));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
