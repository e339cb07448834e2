import { parseArgs } from 'node:util';
import { describeRun } from './report.ts';
import { simulate } from './run.ts';

/** `npm run simulate -- --seed 7` plays one run and shows its trace; `--from 1 --count 1000` plays many.
 * `--all` leaves nothing out, known faults neither. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    all: { type: 'boolean', default: false },
  },
});

const leftOut = values.all ? new Set<string>() : undefined;

async function playMany(from: number, count: number): Promise<void> {
  const begun = process.hrtime.bigint();
  const found = new Map<string, number[]>();
  let steps = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const run = await simulate(seed, leftOut);
    steps += run.steps;
    for (const { name } of run.violations) found.set(name, [...(found.get(name) ?? []), seed]);
  }
  const ms = Number(process.hrtime.bigint() - begun) / 1e6;
  console.log(`${count} runs, ${(ms / count).toFixed(1)} ms and ${Math.round(steps / count)} steps each`);
  for (const [name, seeds] of [...found].toSorted((a, b) => b[1].length - a[1].length))
    console.log(`${String(seeds.length).padStart(5)} ${name}: ${seeds.slice(0, 8).join(' ')}`);
}

if (values.seed === undefined) await playMany(Number(values.from), Number(values.count));
else console.log(describeRun(await simulate(Number(values.seed), leftOut), Infinity));
