import { expect, it } from 'vitest';
import { describeRun } from './report.ts';
import { simulate } from './run.ts';
import { failedOnce, figures, knownFaults } from './seeds.ts';

/** What of its trace a failing run shows. */
const shownLines = 40;
/** So many failures are told; the rest would say the same. */
const shownRuns = 3;
/** Only ends a hang: in CI all shards and half of the suite share two cores that may be slow. */
const msPerSeed = 2_000;

/** Without what has come into scenarios since. */
const asTheyFailed = new Set([
  ...knownFaults.map(({ leavesOut }) => leavesOut),
  'order',
  'releases',
  'replicas',
  'guests',
]);

/** Plays this shard's part of all seeds. SIMULATION_SEEDS: another number of them; SIMULATION_FROM: another first one. */
export function playShard(shard: number): void {
  const count = Number(process.env['SIMULATION_SEEDS'] ?? figures.seeds);
  const from = Number(process.env['SIMULATION_FROM'] ?? 1);
  const seeds = Array.from({ length: count }, (_, index) => from + index);
  const old = shard === 1 ? failedOnce.map(([seed]) => seed) : [];
  const own = [...old, ...seeds.filter((seed) => seed % figures.shards === shard % figures.shards)];
  it(
    'keeps every promise in every run of its seeds',
    async () => {
      const failures: string[] = [];
      for (const seed of own) {
        const run = await simulate(seed, old.includes(seed) ? asTheyFailed : undefined);
        if (run.violations.length > 0) failures.push(describeRun(run, shownLines));
        if (failures.length >= shownRuns) break;
      }
      expect(failures.join('\n\n')).toBe('');
    },
    300_000 + own.length * msPerSeed,
  );
}
