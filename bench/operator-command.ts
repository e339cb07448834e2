import { join } from 'node:path';

/** Flags for node that are recommended wherever Landlord runs; the Dockerfile has the same, and docs/performance.md why. */
export const NODE_FLAGS = ['--max-semi-space-size=2', '--optimize-for-size'] as const;

/** The shell command that starts the built operator. `exec`: no shell's memory is counted as the operator's. */
export function operatorCommand(dist: string, config: string): string {
  const parts = [process.execPath, ...NODE_FLAGS, join(dist, 'main.js'), 'run', '--config', config];
  return `exec ${parts.map(quoted).join(' ')}`;
}

function quoted(part: string): string {
  return `'${part.replaceAll("'", String.raw`'\''`)}'`;
}
