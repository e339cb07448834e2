/** What a session and the login that it goes through have in common. */
export interface SshPath {
  /** `ssh://[USER@]HOST[:PORT]` */
  readonly destination: string;
  /** Where the login takes sessions in. */
  readonly socketPath: string;
}

/** So long a login may take, and so long it goes on without a sign of life of the other side. */
const connectSeconds = 30;
const aliveSeconds = 5;
const aliveCount = 3;

/** A login alone, which takes sessions in until it is ended. */
export function loginArguments(path: SshPath): readonly string[] {
  const options = [
    'ControlPersist=no',
    // A connection that is lost without a word would hang each session, new ones too.
    `ServerAliveInterval=${aliveSeconds}`,
    `ServerAliveCountMax=${aliveCount}`,
  ];
  return ['-M', '-N', ...common(path, options)];
}

/** What a session says on its standard error where its login did not take it in: then nothing was started there. */
export const noSession = 'landlord: not in the login';

/**
 * The engine's socket, as the docker command has it. Where the login takes no session in, ssh would log in by itself,
 * beside all bounds: it says so instead.
 */
export function sessionArguments(path: SshPath): readonly string[] {
  const options = ['ControlMaster=no', `ProxyCommand=/bin/sh -c 'echo "${noSession}" >&2'`];
  return [...common(path, options), 'docker', 'system', 'dial-stdio'];
}

function common({ destination, socketPath }: SshPath, options: readonly string[]): readonly string[] {
  const all = [
    // Never asks for a password, which nobody would see.
    'BatchMode=yes',
    `ConnectTimeout=${connectSeconds}`,
    // Those of ~/.ssh/config are for people: a second login could not have them.
    'ClearAllForwardings=yes',
    ...options,
  ];
  // ssh expands `%`. `--`: the address is no option.
  const control = ['-S', socketPath.replaceAll('%', '%%')];
  return [...control, ...all.flatMap((option) => ['-o', option]), '-T', '--', destination];
}
