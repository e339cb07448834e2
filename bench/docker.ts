import { parseArgs } from 'node:util';
import { withProgress } from '../dev/progress.ts';
import { benchRates } from './docker-rates.ts';
import { costVerdicts } from './docker-verdicts.ts';
import type { Operated } from './docker-verdicts.ts';
import { recordEvents } from './engine-record.ts';
import type { RecordedSite } from './engine-record.ts';
import { benchRepairs } from './repairs.ts';
import { instance, setUpSite } from './site.ts';
import { tell } from './verdict.ts';

/**
 * Repairs of few, alone and while others are deleted; then rates of many beside a bare loop, and what one of them costs
 * where there are more. Resolves with whether all is as quick as it should be.
 */
export async function benchDocker(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      containers: { type: 'string', default: '100' },
      deletions: { type: 'string', default: '300' },
      only: { type: 'string', default: 'repairs,rates' },
    },
  });
  const parts = values.only.split(',');
  const site = await withProgress('starting the parts', () => setUpSite());
  try {
    const record = await recordEvents(site.docker, `landlord.owner=${instance}`);
    const bench = { site, record };
    try {
      const counts = parts.includes('rates') ? values.containers.split(',').map(Number) : [];
      const repaired = !parts.includes('repairs') || (await benchRepairs(bench, Number(values.deletions)));
      return (await ratesOf(bench, counts)) && repaired;
    } finally {
      record.stop();
    }
  } finally {
    await withProgress('stopping everything', site.close);
  }
}

async function ratesOf(bench: RecordedSite, counts: readonly number[]): Promise<boolean> {
  const results: boolean[] = [];
  const operated: Operated[] = [];
  for (const count of counts) {
    const { ours, isMet } = await benchRates(bench, count);
    operated.push(ours);
    results.push(isMet);
  }
  const [fewest] = operated;
  const most = operated.at(-1);
  if (fewest !== undefined && most !== undefined && most !== fewest)
    results.push(tell(costVerdicts(fewest, most)));
  return results.every(Boolean);
}
