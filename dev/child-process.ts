import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
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
  /** Does nothing when it has ended. */
  signal(signal: NodeJS.Signals): void;
  /** Kills it and waits until it is gone. What our servers hold is thrown away, so there is nothing to be gentle about. */
  kill(): Promise<void>;
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
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    ending: () => ending,
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      if (ending === undefined) child.kill('SIGKILL');
      child.ref();
      await exited;
    },
  };
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
