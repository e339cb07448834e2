import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const passing = "test('passes', () => undefined);";

interface Run {
  readonly code: number;
  readonly lastLine: string;
  /** All of it, for who wonders. */
  readonly output: string;
}

/** Runs vitest over one file with the reporter, as the project's own run does. */
async function runVitest(tests: string, globalSetup?: string): Promise<Run> {
  // Inside the tree, where the packages are found.
  const folder = await mkdtemp(join(root, 'node_modules', '.closing-line-'));
  try {
    return await runIn(folder, tests, globalSetup);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runIn(
  folder: string,
  tests: string,
  globalSetup = 'export const setup = () => undefined;',
): Promise<Run> {
  const imports = "import { afterAll, beforeAll, describe, test } from 'vitest';";
  await writeFile(join(folder, 'a.test.ts'), `${imports}\n${tests}\n`);
  await writeFile(join(folder, 'setup.ts'), globalSetup);
  const reporter = JSON.stringify(join(root, 'test/closing-line-reporter.ts'));
  const config = `export default { cacheDir: '.cache', test: { reporters: [${reporter}], globalSetup: ['setup.ts'] } };`;
  await writeFile(join(folder, 'vitest.config.mjs'), config);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  // Natively, so that runs beside each other write no file in common.
  const args = [vitest, 'run', '--root', folder, '--configLoader', 'native'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      const lastLine = stdout.trimEnd().split('\n').at(-1) ?? '';
      resolve({ code, lastLine, output: stdout + stderr });
    });
  });
}

describe.concurrent('the closing line of a run', { timeout: 60_000 }, () => {
  test.for<[string, string, string]>([
    ['passed', passing, '1 passed, 0 failed'],
    ['skipped a test', `${passing} test.skip('later', () => undefined);`, '1 passed, 0 failed, 1 skipped'],
  ])('that %s says so', async ([, tests, line], { expect }) => {
    const { code, lastLine, output } = await runVitest(tests);
    expect({ code, lastLine }, output).toEqual({ code: 0, lastLine: line });
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
    const { code, lastLine, output } = await runVitest(tests, globalSetup);
    expect(code, output).toBe(1);
    expect(lastLine, output).toMatch(new RegExp(`^${line}$`));
  });
});
