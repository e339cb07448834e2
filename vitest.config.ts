import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { RealFirst } from './test/real-first.ts';

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

/**
 * Of all projects together, more than there are cores on a small machine: most of the time a real file waits for an
 * engine or a clock. Projects of one group run beside each other, and vitest wants them to agree on this.
 */
const maxWorkers = 10;

/** Only ends a hang: on a busy machine a walk over every crash point takes its time. */
const timeoutMs = 480_000;

const together = { execArgv, maxWorkers, testTimeout: timeoutMs, hookTimeout: timeoutMs };

/**
 * `unit` and `unit-alone` need nothing but Node; `real` runs against a kube-apiserver, a Docker Engine and a registry
 * that test/real-parts.ts brings up once for the whole run. The real files begin; the others use what these leave idle.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: RealFirst },
    reporters: ['default', './test/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          ...together,
          name: 'unit',
          include: unit.filter((file) => !alone.includes(file)),
          // More than half of their time would go into importing the same modules again for each file.
          isolate: false,
        },
      },
      { test: { ...together, name: 'unit-alone', include: alone } },
      {
        test: {
          ...together,
          name: 'real',
          include: ['test/**/*.real.test.ts'],
          globalSetup: ['test/real-parts.ts'],
          // As above; a second of work for each file. Each cleans up after itself, its environment variables too.
          isolate: false,
          maxConcurrency: 10,
        },
      },
    ],
  },
});
