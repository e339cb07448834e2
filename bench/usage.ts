import { readFile } from 'node:fs/promises';

/** Linux counts CPU time in hundredths of a second, wherever it shows it. */
const ticksPerSecond = 100;

/** User and system time of a process so far, in seconds. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // What stands before the last bracket is the program's name, which may be anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export interface Memory {
  /** Resident, in MB. */
  readonly now: number;
  /** The most of it so far. */
  readonly peak: number;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const megabytes = (line: RegExp): number => Math.round(Number(line.exec(status)?.[1]) / 1_024);
  return { now: megabytes(/^VmRSS:\s+(\d+) kB$/m), peak: megabytes(/^VmHWM:\s+(\d+) kB$/m) };
}
