import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

const unit = globSync('test/**/*.test.ts').filter((file) => !file.endsWith('.real.test.ts'));
/**
 * What stands in for a module stays for whoever imports it next, and the simulation takes clock and chance away before
 * anything else is imported: these files get a world of their own.
 */
const alone = unit.filter(
  (file) => file.startsWith('test/simulation/') || /\bvi\.(do)?mock\(/i.test(readFileSync(file, 'utf8')),
);

/** Most of what a test makes is garbage at once: a young generation this large is seldom collected. */
const execArgv = ['--max-semi-space-size=64'];

const unitTest = {
  execArgv,
  // Ends what hangs; on a busy machine a walk over every crash point takes its time.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Every core: they wait for nothing, and vitest itself is idle meanwhile.
  maxWorkers: '100%',
  sequence: { groupOrder: 1 },
};

/**
 * `unit` and `unit-alone` need nothing but Node and run first; `real` runs against a kube-apiserver, a Docker
 * Engine and a registry that test/real-parts.ts brings up once for the whole run.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          ...unitTest,
          name: 'unit',
          include: unit.filter((file) => !alone.includes(file)),
          // More than half of their time would go into importing the same modules again for each file.
          isolate: false,
        },
      },
      { test: { ...unitTest, name: 'unit-alone', include: alone } },
      {
        test: {
          name: 'real',
          execArgv,
          include: ['test/**/*.real.test.ts'],
          globalSetup: ['test/real-parts.ts'],
          // As above; a second of work for each file. Each cleans up after itself, its environment variables too.
          isolate: false,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // More than there are cores on a small machine: most of the time a file waits for an engine or a clock.
          maxWorkers: 6,
          maxConcurrency: 10,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
