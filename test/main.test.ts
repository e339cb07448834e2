import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { OperatorOptions } from '../src/operator.ts';

const operator = vi.hoisted(() => ({
  runOperator: vi.fn<(options: OperatorOptions, signal: AbortSignal) => Promise<'stopped' | 'lost'>>(),
}));
vi.mock('../src/operator.ts', () => operator);

/** What the process itself would show. */
const shown = { stdout: '', stderr: '' };
const exit = vi.fn<(code: number) => void>();
type Listener = (...args: unknown[]) => void;
let listeners: Map<string, Listener>;

beforeEach(() => {
  operator.runOperator.mockReset().mockResolvedValue('stopped');
  Object.assign(shown, { stdout: '', stderr: '' });
  listeners = new Map();
  const listen = (event: string | symbol, listener: Listener): NodeJS.Process => {
    listeners.set(String(event), listener);
    return process;
  };
  vi.spyOn(process, 'once').mockImplementation(listen);
  vi.spyOn(process, 'on').mockImplementation(listen);
  vi.spyOn(process, 'exit').mockImplementation(exit as never);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    shown.stdout += String(text);
    return true;
  });
  vi.spyOn(console, 'error').mockImplementation((text: string) => void (shown.stderr += `${text}\n`));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** The command line in this process; resolves with its exit code. */
async function landlord(...args: string[]): Promise<unknown> {
  vi.resetModules();
  const before = process.argv;
  process.argv = ['node', 'main.ts', ...args];
  try {
    await import('../src/main.ts');
  } finally {
    process.argv = before;
  }
  return process.exitCode;
}

function file(name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'landlord-main-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const config = (text = 'compute: {mock: {}}\nlog: {level: silent}\n'): string => file('landlord.yaml', text);
const kubeconfig = (): string =>
  file(
    'kubeconfig',
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://apiserver.example' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': 'c',
    }),
  );

describe('landlord run', () => {
  test.each([[['run']], [[]]])('runs the operator with its config and cluster: %j', async (command) => {
    expect(await landlord(...command, '--config', config(), '--kubeconfig', kubeconfig())).toBe(0);
    const [options] = operator.runOperator.mock.calls[0] ?? [];
    expect(options?.config.compute).toEqual({ mock: {} });
    expect(options?.kubeConfig.getCurrentCluster()?.server).toBe('https://apiserver.example');
    expect(shown).toEqual({ stdout: '', stderr: '' });
  });

  test('ends at once with 1 where the lease is lost, so that it is started again', async () => {
    operator.runOperator.mockResolvedValue('lost');
    await landlord('run', '--config', config(), '--kubeconfig', kubeconfig());
    expect(exit).toHaveBeenCalledWith(1);
  });

  test.each(['SIGTERM', 'SIGINT'])('stops on %s', async (signalName) => {
    operator.runOperator.mockImplementation(async (_options, signal) => {
      expect(signal.aborted).toBe(false);
      listeners.get(signalName)?.();
      expect(signal.aborted).toBe(true);
      return 'stopped';
    });
    expect(await landlord('run', '--config', config(), '--kubeconfig', kubeconfig())).toBe(0);
  });

  test('ends with 70 on a defect that nobody waits for', async () => {
    await landlord('run', '--config', config(), '--kubeconfig', kubeconfig());
    listeners.get('unhandledRejection')?.(new TypeError('x is not a function'));
    expect(exit).toHaveBeenCalledWith(70);
  });

  test.each<[name: string, args: () => string[], stderr: RegExp, code: number]>([
    [
      'a mistake in the config',
      () => ['--config', config('compute: {}')],
      /^landlord: .*: compute: no provider/,
      2,
    ],
    [
      'no config',
      () => ['--config', '/nowhere.yaml'],
      /^landlord: \/nowhere\.yaml: can't be read \(ENOENT\)/,
      2,
    ],
    ['an unknown option', () => ['--konfig', 'x'], /^landlord: Unknown option '--konfig'/, 2],
    [
      'no cluster',
      () => ['--config', config(), '--kubeconfig', '/nowhere'],
      /^landlord: kubeconfig \/nowhere can't be read/,
      1,
    ],
  ])('ends with one line about %s', async (_name, args, stderr, code) => {
    expect(await landlord('run', ...args())).toBe(code);
    expect(shown.stderr).toMatch(stderr);
    expect(shown.stderr.trim()).not.toContain('\n');
    expect(operator.runOperator).not.toHaveBeenCalled();
  });

  test('ends with one line where the operator can not start', async () => {
    operator.runOperator.mockRejectedValue(new Error('server.address :8080: listen EADDRINUSE'));
    expect(await landlord('run', '--config', config(), '--kubeconfig', kubeconfig())).toBe(1);
    expect(shown.stderr).toBe('landlord: server.address :8080: listen EADDRINUSE\n');
  });
});

describe('landlord', () => {
  test('prints the CRD, and runs nothing', async () => {
    expect(await landlord('crd')).toBe(0);
    expect(shown.stdout).toMatch(/^apiVersion: apiextensions\.k8s\.io\/v1\nkind: CustomResourceDefinition\n/);
    expect(operator.runOperator).not.toHaveBeenCalled();
  });

  test.each<[args: string[], code: number]>([
    [['--help'], 0],
    [['-h'], 0],
    [['run', '--help'], 0],
    [['walk'], 2],
    [['run', 'crd'], 2],
  ])('says how it is used: %j ends with %i', async (args, code) => {
    expect(await landlord(...args)).toBe(code);
    expect(shown.stderr).toMatch(/^landlord run --config FILE/);
    expect(shown.stdout).toBe('');
    expect(operator.runOperator).not.toHaveBeenCalled();
  });
});
