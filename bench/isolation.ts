import { parseArgs } from 'node:util';
import { withProgress } from '../dev/progress.ts';
import { disturbancesOf } from './isolation/disturbances.ts';
import type { Disturbance } from './isolation/disturbances.ts';
import { createProbes } from './isolation/probes.ts';
import type { ProbeKind, Probes } from './isolation/probes.ts';
import { setUpSite } from './site.ts';
import type { Site } from './site.ts';
import { median } from './median.ts';

const changes = 20;
const warmUps = 3;
/** The most that a disturbance may slow others down. */
const ratioAtMost = 1.1;

/**
 * Times changes of tenants that nobody disturbs while something bad happens to others, and without it: half of the
 * undisturbed changes before, half after. Prints the medians and their ratio. Resolves with whether all are within bounds.
 */
export async function benchIsolation(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      crowd: { type: 'string', default: '200' },
      deletions: { type: 'string', default: '300' },
      only: { type: 'string', default: '' },
    },
  });
  const sizes = { crowd: Number(values.crowd), deletions: Number(values.deletions) };
  const chosen = disturbancesOf(sizes).filter(({ name }) => name.includes(values.only));
  const site = await withProgress('starting the parts', () => setUpSite());
  try {
    await site.startOperator();
    const probes = await withProgress('bringing up the probes', () => createProbes(site));
    try {
      const results: boolean[] = [];
      for (const disturbance of chosen) results.push(await compare(site, probes, disturbance));
      return results.every(Boolean);
    } finally {
      probes.close();
    }
  } finally {
    await withProgress('stopping everything', site.close);
  }
}

async function compare(site: Site, probes: Probes, disturbance: Disturbance): Promise<boolean> {
  const { name, probe } = disturbance;
  return withProgress(name, async (note) => {
    await disturbance.before?.(site);
    note('undisturbed');
    const before = await timed(probes, probe, changes / 2);
    await disturbance.begin(site);
    note('disturbed');
    const disturbed = await timed(probes, probe, changes);
    await disturbance.end(site);
    note('undisturbed again');
    const after = await timed(probes, probe, changes / 2);
    const quiet = { all: [...before.all, ...after.all], warm: [...before.warm, ...after.warm] };
    const ratio = median(disturbed.warm) / median(quiet.warm);
    const isMet = ratio <= ratioAtMost;
    console.log(
      `${isMet ? 'met   ' : 'MISSED'}  ${name}: a change on ${probe} takes ${described(disturbed)}, ` +
        `undisturbed ${described(quiet)}: ${ratio.toFixed(2)} times (at most ${ratioAtMost})`,
    );
    return isMet;
  });
}

interface Times {
  readonly all: readonly number[];
  /** Without the first ones: what runs for the first time, as after a restart of the operator, runs slowly. */
  readonly warm: readonly number[];
}

async function timed(probes: Probes, kind: ProbeKind, count: number): Promise<Times> {
  const all = await probes.changes(kind, warmUps + count);
  return { all, warm: all.slice(warmUps) };
}

function described({ all, warm }: Times): string {
  return `${Math.round(median(warm))} ms (worst ${Math.round(Math.max(...all))} ms)`;
}
