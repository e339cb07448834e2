import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { inject } from 'vitest';
import { endpointsOf } from './operator-endpoints.ts';
import type { OperatorEndpoints } from './operator-endpoints.ts';

export interface OperatorProcess {
  readonly pid: number;
  /** SIGKILL; at once. */
  kill(): void;
  /** SIGTERM, and waits. */
  stop(): Promise<void>;
  readonly exited: Promise<unknown>;
  /** All that it printed. */
  output(): string;
  /** Waited for until it serves them. */
  readonly endpoints: OperatorEndpoints;
}

export interface OperatorProcessOptions {
  readonly configFile: string;
  readonly kubeconfigPath: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the operator that was built for this run of the tests. */
export function startOperatorProcess({
  configFile,
  kubeconfigPath,
  env,
}: OperatorProcessOptions): OperatorProcess {
  const child = spawn(
    process.execPath,
    [inject('operatorProgram'), 'run', '--config', configFile, '--kubeconfig', kubeconfigPath],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
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
    endpoints: endpointsOf(() => output),
  };
}
