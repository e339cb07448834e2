import { ComputeError } from '../../../../errors.ts';

/** CPU in units of 1/1024 core, memory in MiB: as task definitions count. */
export interface TaskSize {
  readonly cpu: number;
  readonly memory: number;
}

interface SizeRow {
  readonly cpu: number;
  readonly memory: readonly number[];
}

/** `from` to `to` GB in steps of `step`, in MiB. */
function gigabytes(from: number, to: number, step = 1): readonly number[] {
  return Array.from({ length: (to - from) / step + 1 }, (_none, index) => (from + index * step) * 1024);
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size */
const sizes: readonly SizeRow[] = [
  { cpu: 256, memory: [512, 1024, 2048] },
  { cpu: 512, memory: gigabytes(1, 4) },
  { cpu: 1024, memory: gigabytes(2, 8) },
  { cpu: 2048, memory: gigabytes(4, 16) },
  { cpu: 4096, memory: gigabytes(8, 30) },
  { cpu: 8192, memory: gigabytes(16, 60, 4) },
  { cpu: 16_384, memory: gigabytes(32, 120, 8) },
];

/** The smallest size that Fargate offers and that holds `needed`. Throws InvalidSpec where there is none. */
export function fargateSize(needed: TaskSize): TaskSize {
  for (const { cpu, memory } of sizes) {
    const fits = cpu >= needed.cpu ? memory.find((size) => size >= needed.memory) : undefined;
    if (fits !== undefined) return { cpu, memory: fits };
  }
  throw new ComputeError(
    'InvalidSpec',
    `spec.containers: resources: Fargate has no task size that holds ${needed.cpu / 1024} vCPU and ${needed.memory} MiB ` +
      'together: it goes up to 16 vCPU and 120 GB. Ask for less, or use launch_type EC2',
  );
}
