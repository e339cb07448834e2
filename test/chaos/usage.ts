import { readdir, readFile } from 'node:fs/promises';

/** What a process holds, by the kernel's word. */
export interface Usage {
  /** Resident. */
  readonly memoryMb: number;
  /** Open files and sockets. */
  readonly handles: number;
}

export async function usageOf(pid: number): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const handles = await readdir(`/proc/${pid}/fd`);
  return { memoryMb: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024, handles: handles.length };
}

/** The sum of a metric's samples; 0 where it has none. */
export function metricIn(text: string, name: string): number {
  const samples = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
