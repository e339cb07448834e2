import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';

const main = join(import.meta.dirname, '../../src/main.ts');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line itself, as a process of its own, without a cluster or an engine around it. */
async function landlord(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: tmpdir() },
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

function configFile(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'landlord-start-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, content);
  return file;
}

describe('landlord run', { timeout: 30_000 }, () => {
  test('refuses to start with a mistake in the config: one line that names file and path, no stack, exit 2', async () => {
    const file = configFile('compute: {docker: {}}');
    expect(await landlord('run', '--config', file)).toEqual({
      code: 2,
      stdout: '',
      stderr: `landlord: ${file}: compute.docker.image: is required\n`,
    });
  });

  test('refuses an unknown option in one line, exit 2', async () => {
    const { code, stdout, stderr } = await landlord('run', '--konfig', 'x');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^landlord: Unknown option '--konfig'.*\n$/);
  });
});

describe('landlord', () => {
  test('says how it is used where the command is unknown, exit 2', async () => {
    const { code, stdout, stderr } = await landlord('walk');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^landlord run --config FILE/);
  });

  test('prints the CRD', async () => {
    const { code, stdout } = await landlord('crd');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^apiVersion: apiextensions\.k8s\.io\/v1\nkind: CustomResourceDefinition\n/);
  });
});
