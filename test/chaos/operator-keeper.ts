import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../../dev/child-process.ts';
import type { Child } from '../../dev/child-process.ts';
import { operatorCommand } from '../../bench/operator-command.ts';

/** Running passes get 20 s at a SIGTERM; the rest is for a machine that is busy. */
const endLimitMs = 40_000;
const lookMs = 100;
/** As a kubelet does it, the first time. */
const restartMs = 1_000;

/** Keeps one operator running, as a kubelet does, and writes down what it may not do. */
export interface OperatorKeeper {
  readonly metricsUrl: string;
  pid(): number;
  /** When the one that runs was started, in milliseconds since the epoch. */
  startedAt(): number;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL; nothing runs until `start`. */
  kill(): Promise<void>;
  /** SIGTERM; nothing runs until `start`. */
  end(): Promise<void>;
  start(): Promise<void>;
  /** Ends of its own accord, and ends that took too long. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

export interface KeptOperator {
  readonly configFile: string;
  readonly kubeconfigPath: string;
  readonly logFile: string;
  /** HOST:PORT of its server. */
  readonly address: string;
  readonly env: NodeJS.ProcessEnv;
}

export async function keepOperator(options: KeptOperator): Promise<OperatorKeeper> {
  const { configFile, kubeconfigPath, logFile, address, env } = options;
  const [command, ...args] = operatorCommand(configFile);
  const faults: string[] = [];
  const launch = async (): Promise<Child> =>
    startChild({ name: 'operator', command, args: [...args, '--kubeconfig', kubeconfigPath], env, logFile });
  let child = await launch();
  let startedAt = Date.now();
  let isWanted = true;
  const start = async (): Promise<void> => {
    child = await launch();
    startedAt = Date.now();
    isWanted = true;
  };
  const look = async (): Promise<void> => {
    const ending = child.ending();
    if (!isWanted || ending === undefined) return;
    faults.push(`the operator ended by itself: ${ending}`);
    await sleep(restartMs);
    await start();
  };
  const closed = new AbortController();
  const keep = async (): Promise<void> => {
    while (!closed.signal.aborted) {
      await look();
      await sleep(lookMs);
    }
  };
  const keeping = keep();
  const end = async (): Promise<void> => {
    isWanted = false;
    const ended = await endsWithin(child, endLimitMs);
    if (ended === 'late') {
      faults.push(`the operator still runs ${endLimitMs / 1000} s after a SIGTERM`);
      await child.kill();
    } else if (ended !== 'exit code 0') faults.push(`the operator ends with ${ended} at a SIGTERM`);
  };
  return {
    metricsUrl: `http://${address}/metrics`,
    pid: () => child.pid,
    startedAt: () => startedAt,
    signal: (signal) => child.signal(signal),
    kill: async () => {
      isWanted = false;
      await child.kill();
    },
    end,
    start,
    faults,
    close: async () => {
      closed.abort();
      await keeping;
      if (isWanted) await end();
    },
  };
}

async function endsWithin(child: Child, limitMs: number): Promise<string> {
  child.signal('SIGTERM');
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    const ending = child.ending();
    if (ending !== undefined) return ending;
    await sleep(lookMs);
  }
  return 'late';
}
