/**
 * `npm run chaos`: the operator on real parts that are killed, frozen and throttled at random while Tenants are created,
 * edited, moved, suspended and deleted. At the end all is whole again, and what was promised is looked at. Exit code 1: it is
 * not so.
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { interruptedExitCode, interruptible } from '../../dev/demo/interrupt.ts';
import { withProgress } from '../../dev/progress.ts';
import { createRandom } from '../simulation/random.ts';
import { playChaos } from './play.ts';
import { setUpScene } from './scene.ts';
import type { Scene } from './scene.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    tenants: { type: 'string', default: '150' },
    // A back-off is 5 minutes at most, with its jitter; the rest is work, which takes a slow machine as long again.
    settle: { type: 'string', default: '600' },
  },
});
const seed = wholeNumber('seed', values.seed);
const durationMs = wholeNumber('seconds', values.seconds) * 1_000;
const tenants = wholeNumber('tenants', values.tenants);
const settleMs = wholeNumber('settle', values.settle) * 1_000;

const startedAt = Date.now();
const log = (text: string): void => {
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1).padStart(6);
  console.log(`${seconds} s  ${text}`);
};

let scene: Scene | undefined;
const signal = interruptible(() => {
  console.log('\nStopping; Ctrl-C again to force it.');
  // While the parts are being started nothing can be stopped in order, and the watchdog removes what is there.
  if (scene === undefined) process.exit(interruptedExitCode);
});

try {
  process.exitCode = await chaos();
} catch (error) {
  process.exitCode = signal.aborted ? interruptedExitCode : 1;
  if (!signal.aborted) console.error(error);
}

async function chaos(): Promise<number> {
  console.log(`Chaos: seed ${seed}, ${tenants} tenants, ${durationMs / 1_000} s.`);
  const logFile = join(tmpdir(), `landlord-chaos-${seed}-${process.pid}.log`);
  scene = await withProgress('starting the parts and the operator', () => setUpScene(logFile));
  const broken: string[] = [];
  try {
    broken.push(
      ...(await playChaos(scene, {
        random: createRandom(seed),
        tenants,
        durationMs,
        settleMs,
        log,
        signal,
      })),
    );
  } finally {
    await withProgress('stopping everything', scene.close);
  }
  broken.push(...scene.operator.faults);
  if (broken.length === 0) {
    await rm(logFile, { force: true });
    console.log(`Kept: all promises, with seed ${seed}.`);
    return 0;
  }
  console.log(`BROKEN with seed ${seed} (the operator's log is ${logFile}):`);
  for (const line of broken) console.log(`  ${line}`);
  const again = `npm run chaos -- --seconds ${durationMs / 1_000} --settle ${settleMs / 1_000} --tenants ${tenants} --seed ${seed}`;
  console.log(`Again: ${again}. How the faults meet differs from run to run: look into the log before that.`);
  return 1;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} takes a whole number above 0, not ${text}`);
}
