import { globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { goEnvironment } from '../../dev/control-plane-binaries.ts';
import { runCommand } from '../../dev/run-command.ts';

const repository = resolve(import.meta.dirname, '../..');

test('all Go sources are formatted', async () => {
  const files = globSync('{bench,dev}/**/*.go', { cwd: repository });
  expect(files.length).toBeGreaterThan(10);
  expect(await runCommand('gofmt', ['-l', ...files], { cwd: repository })).toBe('');
});

test("the bench's loader passes its own tests", async () => {
  const cwd = join(repository, 'bench/loader');
  const output = await runCommand('go', ['test', '-count=1', './...'], { cwd, env: goEnvironment() });
  expect(output).toMatch(/^ok /);
});
