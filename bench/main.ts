/**
 * `npm run bench`: Landlord on the mock provider beside a reference operator in Go, or with `-- --kopf` beside one in
 * Python. `npm run bench -- docker`: how soon containers that were broken by hand run again. What else follows `--` are
 * flags of the loader: `npm run bench -- --n 200`.
 */
import { buildOperator, distFolder } from '../dev/build.ts';
import { withProgress } from '../dev/progress.ts';
import { compareWithReference } from './compare.ts';
import { goReference, kopfReference } from './references.ts';
import { benchRepairs } from './repairs.ts';

const args = process.argv.slice(2);
try {
  await withProgress('building dist/', () => buildOperator(distFolder));
  process.exitCode = (await bench()) ? 0 : 1;
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function bench(): Promise<boolean> {
  if (args[0] === 'docker') return benchRepairs();
  const reference = args.includes('--kopf') ? await kopfReference() : await goReference();
  const loaderArgs = args.filter((arg) => arg !== '--kopf');
  return compareWithReference(reference, loaderArgs);
}
