import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { removeEngineRemains } from './docker-engine-remains.ts';
import type { EngineRemains } from './docker-engine-remains.ts';
import type { TaskContainers } from './ecs-endpoint-containers.ts';
import type { SharedEngineRemains } from './shared-engine-remains.ts';

/** Something that must not outlive this program, however it ends. */
export type Leftover =
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'file' | 'folder'; readonly path: string }
  | ({ readonly kind: 'engine' } & EngineRemains)
  | ({ readonly kind: 'tasks' } & TaskContainers)
  | ({ readonly kind: 'shared-engine' } & SharedEngineRemains);

/** What goes down the pipe to the watchdog, one JSON value a line. */
export type WatchdogOrder =
  { readonly id: number; readonly remember: Leftover } | { readonly id: number; readonly forget: true };

let watchdogInput: Writable | undefined;
let lastId = 0;

/**
 * Has `leftover` removed when this program dies without having done so itself, be it by SIGKILL. A detached process
 * notices by the end of its standard input, which no child inherits. Returns what to call once it is gone.
 */
export function removeOnDeath(leftover: Leftover): () => void {
  const input = (watchdogInput ??= startWatchdog());
  const id = (lastId += 1);
  send(input, { id, remember: leftover });
  return () => send(input, { id, forget: true });
}

/** Removes it now; never rejects for what is already gone. The client of engines is loaded by who needs it. */
export async function removeLeftover(leftover: Leftover): Promise<void> {
  switch (leftover.kind) {
    case 'process':
      killGroup(leftover.pid);
      break;
    case 'file':
    case 'folder':
      await rm(leftover.path, { recursive: true, force: true, maxRetries: 5 });
      break;
    case 'engine':
      await removeEngineRemains(leftover);
      break;
    case 'tasks': {
      const { removeTaskContainers } = await import('./ecs-endpoint-containers.ts');
      await removeTaskContainers(leftover);
      break;
    }
    case 'shared-engine': {
      const { removeSharedEngineRemains } = await import('./shared-engine-remains.ts');
      await removeSharedEngineRemains(leftover);
      break;
    }
  }
}

/** Kills a child that was started detached together with its process group. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function startWatchdog(): Writable {
  const script = fileURLToPath(new URL('leftovers-watchdog.ts', import.meta.url));
  // Its own session: a Ctrl-C at the terminal ends this program and not the one that tidies up after it.
  const child = spawn(process.execPath, [script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  child.unref();
  const { stdin } = child;
  stdin.on('error', () => undefined);
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return stdin;
}

function send(input: Writable, order: WatchdogOrder): void {
  input.write(`${JSON.stringify(order)}\n`);
}
