/**
 * `npm run bench`: Landlord on the mock provider beside a reference operator in Go, or with `-- --kopf` beside one in
 * Python; what else follows `--` are flags of the loader: `npm run bench -- --n 200`. `-- docker`: how soon containers that
 * were broken by hand run again, and many of them beside a bare loop. `-- ecs`: the calls to a model of ECS.
 * `-- isolation`: what others' troubles cost a tenant.
 */
import { buildOperator, distFolder } from '../dev/build.ts';
import { withProgress } from '../dev/progress.ts';
import { compareWithReference } from './compare.ts';
import { benchDocker } from './docker.ts';
import { benchEcs } from './ecs-calls.ts';
import { benchIsolation } from './isolation.ts';
import { goReference, kopfReference } from './references.ts';

const args = process.argv.slice(2);
try {
  await withProgress('building dist/', () => buildOperator(distFolder));
  process.exitCode = (await bench()) ? 0 : 1;
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function bench(): Promise<boolean> {
  if (args[0] === 'docker') return benchDocker(args.slice(1));
  if (args[0] === 'ecs') return benchEcs(args.slice(1));
  if (args[0] === 'isolation') return benchIsolation(args.slice(1));
  const reference = args.includes('--kopf') ? await kopfReference() : await goReference();
  const loaderArgs = args.filter((arg) => arg !== '--kopf' && arg !== '--finalizer-policy');
  return compareWithReference(
    { reference, hasFinalizerPolicy: args.includes('--finalizer-policy') },
    loaderArgs,
  );
}
