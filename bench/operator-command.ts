import { join } from 'node:path';
import { distFolder } from '../dev/build.ts';

/** Flags for node that are recommended wherever Landlord runs; the Dockerfile has the same, and docs/performance.md why. */
export const nodeFlags = [
  '--max-semi-space-size=4',
  '--heap-growing-percent=30',
  '--v8-pool-size=1',
  '--no-maglev',
] as const;

/** Starts the built operator, by the Node that this program runs on: first the program, then its arguments. */
export function operatorCommand(configFile: string): readonly [string, ...string[]] {
  return [process.execPath, ...nodeFlags, join(distFolder, 'main.js'), 'run', '--config', configFile];
}

/** The operator from its sources, without limits of its own on what it asks of ECS. */
export function unlimitedCommand(configFile: string): readonly [string, ...string[]] {
  const preload = join(import.meta.dirname, 'without-limits.ts');
  const main = join(import.meta.dirname, '../src/main.ts');
  return [process.execPath, '--import', preload, main, 'run', '--config', configFile];
}

/** `exec`: no shell's memory is counted as the operator's. */
export function shellCommand(parts: readonly string[]): string {
  return `exec ${parts.map(quoted).join(' ')}`;
}

function quoted(part: string): string {
  return `'${part.replaceAll("'", String.raw`'\''`)}'`;
}
