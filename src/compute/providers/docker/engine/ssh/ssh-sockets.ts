import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failedSshLogin, startSshLogin } from './ssh-login.ts';
import { SharedSshLogins } from './ssh-logins.ts';
import type { SshLogins } from './ssh-logins.ts';

/** The kernel takes paths of sockets up to 103 bytes on some systems; ssh binds to one that is 17 longer than its own. */
const longestFolder = 60;
/** A container whose file system is read-only has the last one all the same. */
const folders = (): readonly string[] =>
  [tmpdir(), '/tmp', '/dev/shm'].filter((folder) => Buffer.byteLength(folder) <= longestFolder);

/** Logins at `destination`, each with its socket in a folder that nobody else can look into. */
export function sshLoginsAt(destination: string): SshLogins {
  return new SharedSshLogins(() => {
    try {
      return startSshLogin({ destination, socketPath: join(privateFolder(), 's') });
    } catch (error) {
      return failedSshLogin({ destination, socketPath: '' }, (error as Error).message);
    }
  });
}

/** Made for one login. */
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
