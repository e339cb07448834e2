/**
 * `npm run bench`: Landlord on the mock provider beside the Go reference of the bench kit. `npm run bench -- docker`:
 * how soon containers that were broken by hand run again. What follows `--` goes to the kit: `npm run bench -- --n 200`.
 */
import { buildOperator, DIST } from '../build.ts';
import { withProgress } from '../progress.ts';
import { compareWithReference } from './compare.ts';
import { benchRepairs } from './repairs.ts';

const [command, ...rest] = process.argv.slice(2);
try {
  await withProgress('building dist/', () => buildOperator(DIST));
  const isMet =
    command === 'docker'
      ? await benchRepairs()
      : await compareWithReference(command === undefined ? [] : [command, ...rest]);
  process.exitCode = isMet ? 0 : 1;
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
