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

/** Runs vitest over files of these tests with the reporter, as the project's own run does. */
async function runVitest(files: readonly string[], globalSetup?: string): Promise<Run> {
  // Inside the tree, where the packages are found.
  const folder = await mkdtemp(join(root, 'node_modules', '.closing-line-'));
  try {
    return await runIn(folder, files, globalSetup);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runIn(
  folder: string,
  files: readonly string[],
  globalSetup = 'export const setup = () => undefined;',
): Promise<Run> {
  const imports = "import { afterAll, beforeAll, describe, test } from 'vitest';";
  const write = (tests: string, at: number) =>
    writeFile(join(folder, `${at}.test.ts`), `${imports}\n${tests}\n`);
  await Promise.all(files.map(write));
  await writeFile(join(folder, 'setup.ts'), globalSetup);
  const reporter = JSON.stringify(join(root, 'test/closing-line-reporter.ts'));
  const config = `export default { cacheDir: '.cache', test: { pool: 'threads', reporters: [${reporter}], globalSetup: ['setup.ts'] } };`;
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
  test('that passed and skipped tests says so', async ({ expect }) => {
    const { code, lastLine, output } = await runVitest([passing, "test.skip('later', () => undefined);"]);
    expect({ code, lastLine }, output).toEqual({ code: 0, lastLine: '1 passed, 0 failed, 1 skipped' });
  });

  test('that only passed tests names no others', async ({ expect }) => {
    const { lastLine, output } = await runVitest([passing]);
    expect(lastLine, output).toBe('1 passed, 0 failed');
  });

  const fail = "() => { throw new Error('on purpose'); }";
  test('counts a failed test, each failed hook and a file that does not load', async ({ expect }) => {
    const { code, lastLine, output } = await runVitest([
      `test('fails', ${fail});`,
      `${passing} afterAll(${fail});`,
      `describe('inner', () => { afterAll(${fail}); ${passing} });`,
      "throw new Error('on purpose');",
    ]);
    expect({ code, lastLine }, output).toEqual({ code: 1, lastLine: '2 passed, 4 failed' });
  });

  test.for<[string, string, string, string?]>([
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
    const { code, lastLine, output } = await runVitest([tests], globalSetup);
    expect(code, output).toBe(1);
    expect(lastLine, output).toMatch(new RegExp(`^${line}$`));
  });
});
