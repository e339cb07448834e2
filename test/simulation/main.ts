import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Played, Portion } from './play-portion.ts';
import { describeRun } from './report.ts';
import { simulate } from './run.ts';

/** `npm run simulate -- --seed 7` plays one run and shows its trace; `--from 1 --count 1000` plays many, on every core.
 * `--all` leaves nothing out, known faults neither. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    all: { type: 'boolean', default: false },
  },
});

async function playMany(from: number, count: number): Promise<void> {
  const begun = process.hrtime.bigint();
  const workers = Math.min(availableParallelism(), count);
  const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const portions = Array.from({ length: workers }, () => inWorker({ from, count, taken, all: values.all }));
  const played = await Promise.all(portions);
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  const broken = played.flatMap((portion) => portion.broken).toSorted(([a], [b]) => a - b);
  const steps = played.reduce((sum, portion) => sum + portion.steps, 0);
  console.log(
    `${count} runs of ${Math.round(steps / count)} steps in ${seconds.toFixed(1)} s on ${workers} cores`,
  );
  const seedsOf = Map.groupBy(broken, ([, name]) => name);
  for (const [name, seeds] of [...seedsOf].toSorted((a, b) => b[1].length - a[1].length))
    console.log(`${String(seeds.length).padStart(5)} ${name}: ${seeds.map(([seed]) => seed).join(' ')}`);
  if (broken.length > 0) process.exitCode = 1;
}

function inWorker(portion: Portion): Promise<Played> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('play-portion.ts', import.meta.url), { workerData: portion });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

if (values.seed === undefined) await playMany(Number(values.from), Number(values.count));
else {
  const leftOut = values.all ? new Set<string>() : undefined;
  console.log(describeRun(await simulate(Number(values.seed), leftOut), Infinity));
}
