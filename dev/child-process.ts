import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeOnDeath } from './leftovers.ts';

/** A server program running beside this one, in a session of its own. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Undefined while it runs, then how it ended: `exit code 1`, `SIGKILL`. */
  ending(): string | undefined;
  /** Does nothing when it has ended. A SIGSTOP has stopped it by the return: nothing is answered any more. */
  signal(signal: NodeJS.Signals): void;
  /** Kills it and waits until it is gone. What our servers hold is thrown away, so there is nothing to be gentle about. */
  kill(): Promise<void>;
  /** Lets it end in its own way (SIGTERM), and waits until it is gone. */
  end(): Promise<void>;
}

export interface ChildCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Where its output goes, appended. */
  readonly logFile: string;
}

/** For a server written in Go: with four times the garbage, a quarter less of a short life's CPU goes into collecting it. */
export const lazyGarbageCollection = { GOGC: '400' } as const;

/** Starts it detached (no Ctrl-C reaches it); the watchdog of leftovers.ts kills it should this program die. */
export async function startChild(options: ChildCommand): Promise<Child> {
  const log = await open(options.logFile, 'a');
  let child: ChildProcess;
  try {
    child = spawn(options.command, options.args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: options.env ?? process.env,
      cwd: options.cwd,
    });
    await once(child, 'spawn');
  } finally {
    await log.close();
  }
  const pid = child.pid as number;
  const forget = removeOnDeath({ kind: 'process', pid });
  let ending: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      ending = signal ?? `exit code ${code}`;
      forget();
      resolve();
    });
  });
  child.unref();
  const endBy = async (signal: NodeJS.Signals): Promise<void> => {
    if (ending === undefined) child.kill(signal);
    child.ref();
    await exited;
  };
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    ending: () => ending,
    signal: (signal) => {
      if (child.kill(signal) && signal === 'SIGSTOP') waitUntilStopped(pid);
    },
    kill: () => endBy('SIGKILL'),
    end: () => endBy('SIGTERM'),
  };
}

/** A signal takes its time to reach all threads of a busy machine's program, and one that runs on may still answer. */
function waitUntilStopped(pid: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 0; attempt < 10_000; attempt += 1) {
    if (threadStates(pid).every((state) => stoppedStates.test(state))) return;
    Atomics.wait(pause, 0, 0, 1);
  }
  throw new Error(`process ${pid} does not stop upon SIGSTOP`);
}

/** Stopped, or dead. */
const stoppedStates = /^[TZX]/;

function threadStates(pid: number): string[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const files = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'));
    return files.map((stat) => stat.slice(stat.lastIndexOf(')') + 2));
  } catch (error) {
    if (process.platform !== 'linux') return [];
    // A thread ended meanwhile: the next look tells.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return existsSync(`/proc/${pid}`) ? ['?'] : [];
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return ['?'];
    throw error;
  }
}

/**
 * Polls `isReady` until it says true. Rejects when the child ends or `timeoutMs` passes, with the end of its log.
 * An `isReady` that rejects counts as not ready.
 */
export async function waitUntilReady(
  child: Child,
  isReady: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await isReady().catch(() => false)) return;
    const ending = child.ending();
    if (ending !== undefined)
      throw new Error(`${child.name} ended (${ending}) while starting:\n${await logTail(child)}`);
    if (Date.now() > deadline) {
      throw new Error(`${child.name} is not ready after ${timeoutMs / 1000} s:\n${await logTail(child)}`);
    }
    await sleep(25);
  }
}

async function logTail(child: Child): Promise<string> {
  const log = await readFile(child.logFile, 'utf8').catch(() => '');
  return log.slice(-2_000);
}
