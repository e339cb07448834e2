import { defineConfig } from 'vitest/config';

/**
 * Two projects: `unit` needs nothing but Node and runs first; `real` runs against a kube-apiserver, a Docker
 * Engine and a registry that test/real-parts.ts brings up once for the whole run.
 */
export default defineConfig({
  test: {
    reporters: ['default', './test/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.real.test.ts'],
          // Ends what hangs; on a busy machine a walk over every crash point takes its time.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Every core: they wait for nothing, and vitest itself is idle meanwhile.
          maxWorkers: '100%',
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/**/*.real.test.ts'],
          globalSetup: ['test/real-parts.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // More than there are cores on a small machine: most of the time a file waits for an engine or a clock.
          maxWorkers: 3,
          maxConcurrency: 10,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
