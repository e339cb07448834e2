import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { SshSession } from './ssh-logins.ts';
import { sessionArguments } from './ssh-options.ts';

/** So long what was started there may take to end when nothing is said to it any more. */
const endMs = 2_000;
/** ssh's words at the end, and a banner before them. */
const mostWords = 4_000;

export interface SessionEnd {
  /** Exit code of the ssh. */
  readonly code: number | null;
  /** What it said on its standard error. */
  readonly said: string;
}

export interface SessionListener {
  /** Returns whether it wants more at once. */
  heard(chunk: Buffer): boolean;
  /** There is no process. */
  failed(error: Error): void;
  /** What was started there has not ended in time, and this end has. `ended` may follow. */
  abandoned(): void;
  /** Here and there. */
  ended(end: SessionEnd): void;
}

/** A running ssh of one session. */
export interface SshProcess {
  readonly stdin: ChildProcessWithoutNullStreams['stdin'];
  /** After `heard` said no. */
  resume(): void;
  /** It hears that nobody is here any more; `ended` follows once it has ended there, and after a while `abandoned`. */
  letGo(): void;
  ref(): void;
  unref(): void;
}

export function startSession(session: SshSession, listener: SessionListener): SshProcess {
  const child = spawn('ssh', sessionArguments(session), { stdio: 'pipe' });
  let said = '';
  let isKilled = false;
  let kill: NodeJS.Timeout | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    if (!listener.heard(chunk)) child.stdout.pause();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-mostWords);
  });
  child.stdin.on('error', () => undefined);
  child.on('error', (error) => {
    if (child.pid === undefined) listener.failed(error);
  });
  child.on('exit', () => {
    if (isKilled) listener.abandoned();
  });
  // The login has our ends of the pipes, and closes them when the session ends there.
  child.on('close', (code) => {
    clearTimeout(kill);
    if (child.pid !== undefined) listener.ended({ code, said });
  });
  return {
    stdin: child.stdin,
    resume: () => child.stdout.resume(),
    letGo() {
      // What is not out yet must not reach the engine any more.
      child.stdin.destroy();
      child.stdout.resume();
      kill ??= setTimeout(() => {
        isKilled = true;
        child.kill();
      }, endMs).unref();
    },
    ref: () => child.ref(),
    unref: () => child.unref(),
  };
}
