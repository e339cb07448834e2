import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface OperatorProcess {
  readonly pid: number;
  /** SIGKILL; at once. */
  kill(): void;
  /** SIGTERM, and waits. */
  stop(): Promise<void>;
  readonly exited: Promise<unknown>;
  /** All that it printed. */
  output(): string;
}

const checkout = join(import.meta.dirname, '../..');

/** The operator as a process of its own, from the sources, as `npm start` runs it. */
export function startOperatorProcess(
  configFile: string,
  kubeconfigPath: string,
  env: Readonly<Record<string, string>> = {},
): OperatorProcess {
  const child = spawn(
    process.execPath,
    ['src/main.ts', 'run', '--config', configFile, '--kubeconfig', kubeconfigPath],
    { cwd: checkout, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  void exited.then(() => process.removeListener('exit', end));
  return {
    pid: child.pid ?? 0,
    kill: end,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
    exited,
    output: () => output,
  };
}
