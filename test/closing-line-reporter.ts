import type { Reporter, TestModule } from 'vitest/node';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Prints `N passed, N failed` alone on the run's last line, for programs that read a test run by that line. Failed is
 * what failed outside of a test, too: hooks, files that do not load, errors that nobody caught, the global set-up.
 */
export default class ClosingLineReporter implements Reporter {
  onInit(): void {
    let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
    this.onTestRunEnd = (modules, unhandled) => {
      counts = modules.map(countsOf).reduce(add, { passed: 0, failed: unhandled.length, skipped: 0 });
    };
    // At the very end: what is torn down after the last test may fail as well, and shows in the exit code alone.
    process.once('exit', (code) => {
      const { passed, skipped } = counts;
      const failed = code === 0 ? counts.failed : Math.max(1, counts.failed);
      console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
    });
  }

  onTestRunEnd: NonNullable<Reporter['onTestRunEnd']> = () => undefined;
}

function countsOf(module: TestModule): Counts {
  const suites = [module, ...module.children.allSuites()];
  const counts: Counts = {
    passed: 0,
    failed: suites.reduce((sum, suite) => sum + suite.errors().length, 0),
    skipped: 0,
  };
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') counts.passed += 1;
    else if (state === 'failed') counts.failed += 1;
    else counts.skipped += 1;
  }
  return counts;
}

function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}
