import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { onTestFinished, vi } from 'vitest';

export interface FakeSsh {
  /** Of those that were started, in order. */
  logins(): readonly FakeLogin[];
  /** Command lines of the sessions that were started, in order. */
  sessions(): readonly string[];
}

export interface FakeLogin {
  readonly pid: number;
  readonly arguments: string;
  readonly socketPath: string;
}

/** What a login does once it is logged in: it goes on until it is ended, which it has a word about. */
const goesOn = `
  : > "$socket"
  trap 'kill $!; echo "Connection to engine.example closed by remote host." >&2; exit 255' TERM
  sleep 600 2>/dev/null &
  wait
`;

/** A session that speaks with what listens at `socketPath`. */
export function dialled(socketPath: string): string {
  const dial = `const socket = require('node:net').connect('${socketPath}'); process.stdin.pipe(socket).pipe(process.stdout);`;
  return `exec '${process.execPath}' -e "${dial}"`;
}

/**
 * Puts a program named ssh first in the PATH. `session` and `login` are lines of shell; `$socket` is what stands after -S,
 * and `$login` in a session the pid of the last login.
 */
export async function sshThat({ session = '', login = goesOn }): Promise<FakeSsh> {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-fake-ssh-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  const notes = { logins: join(folder, 'logins'), sessions: join(folder, 'sessions') };
  const script = `#!/bin/sh
all="$*"
while [ "$1" != -S ]; do shift; done
socket="$2"
case " $all " in *' -M '*)
  echo "$$|$all|$socket" >> '${notes.logins}'
  ${login}
  exit ;;
esac
echo "$all" >> '${notes.sessions}'
login=$(tail -n 1 '${notes.logins}' | cut -d '|' -f 1)
${session}
`;
  await writeFile(join(folder, 'ssh'), script);
  await chmod(join(folder, 'ssh'), 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
  const lines = (file: string): readonly string[] =>
    existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  return {
    logins: () =>
      lines(notes.logins).map((line) => {
        const [pid = '', all = '', socketPath = ''] = line.split('|');
        return { pid: Number(pid), arguments: all, socketPath };
      }),
    sessions: () => lines(notes.sessions),
  };
}
