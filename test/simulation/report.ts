import type { Run } from './run.ts';
import { startOfRun } from './virtual-time.ts';

/** A run in words: what was broken, how to play it again, and what happened last. */
export function describeRun({ seed, scenario, violations, trace }: Run, lines: number): string {
  const shown = trace.slice(-Math.min(lines, trace.length));
  return [
    `seed ${seed} (${scenario.theme}): npm run simulate -- --seed ${seed}`,
    ...shown.map(({ atMs, what }) => `${seconds(atMs)} ${what}`),
    ...violations.map(
      ({ name, promise, detail, atMs }) => `${seconds(atMs)} ${name}: ${promise}\n    ${detail}`,
    ),
  ].join('\n');
}

function seconds(atMs: number): string {
  return ((atMs - startOfRun) / 1000).toFixed(3).padStart(10);
}
