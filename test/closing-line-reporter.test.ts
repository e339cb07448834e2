import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const passing = "test('passes', () => undefined);";

interface Run {
  readonly code: number;
  readonly lastLine: string;
}

/** Runs vitest over one file with the reporter, as the project's own run does. */
async function runVitest(tests: string, globalSetup?: string): Promise<Run> {
  // Inside the tree, where the packages are found.
  const folder = await mkdtemp(join(root, 'node_modules', '.closing-line-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const imports = "import { afterAll, beforeAll, describe, test } from 'vitest';";
  await writeFile(join(folder, 'a.test.ts'), `${imports}\n${tests}\n`);
  await writeFile(join(folder, 'setup.ts'), globalSetup ?? 'export const setup = () => undefined;');
  const reporter = JSON.stringify(join(root, 'test/closing-line-reporter.ts'));
  const config = `export default { test: { reporters: [${reporter}], globalSetup: ['setup.ts'] } };`;
  await writeFile(join(folder, 'vitest.config.ts'), config);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  return new Promise((resolve) => {
    execFile(process.execPath, [vitest, 'run', '--root', folder], { cwd: folder }, (error, stdout) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      resolve({ code, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' });
    });
  });
}

describe.concurrent('the closing line of a run', { timeout: 60_000 }, () => {
  test.for<[string, string, string]>([
    ['passed', passing, '1 passed, 0 failed'],
    ['skipped a test', `${passing} test.skip('later', () => undefined);`, '1 passed, 0 failed, 1 skipped'],
  ])('that %s says so', async ([, tests, line], { expect }) => {
    expect(await runVitest(tests)).toEqual({ code: 0, lastLine: line });
  });

  const fail = "() => { throw new Error('on purpose'); }";
  test.for<[string, string, string, string?]>([
    ['a failed test', `test('fails', ${fail});`, '0 passed, 1 failed'],
    ['a failed hook after the tests', `${passing} afterAll(${fail});`, '1 passed, 1 failed'],
    [
      'a failed hook of an inner suite',
      `describe('inner', () => { afterAll(${fail}); ${passing} });`,
      '1 passed, 1 failed',
    ],
    ['a file that does not load', "throw new Error('on purpose');", '0 passed, 1 failed'],
    [
      'an error that nobody caught',
      // Whether the runner still hears how the test ended is a matter of luck.
      `test('passes', async () => { void Promise.reject(new Error('on purpose')); await new Promise((done) => setTimeout(done, 50)); });`,
      '[01] passed, 1 failed',
    ],
    ['a global set-up that fails', passing, '0 passed, 1 failed', `export const setup = ${fail};`],
    [
      'a global tear-down that fails',
      passing,
      '1 passed, 1 failed',
      `export const setup = () => undefined; export const teardown = ${fail};`,
    ],
  ])('counts %s', async ([, tests, line, globalSetup], { expect }) => {
    const { code, lastLine } = await runVitest(tests, globalSetup);
    expect(code).toBe(1);
    expect(lastLine).toMatch(new RegExp(`^${line}$`));
  });
});
