import { join } from 'node:path';
import { cachedFolder, cacheKey } from './cache-folder.ts';
import { packagesFromDebian } from './debian-packages.ts';
import { findProgram } from './find-program.ts';
import { withProgress } from './progress.ts';
import { runCommand } from './run-command.ts';

export interface PythonEnvironment {
  /** What its folder in the cache begins with. */
  readonly name: string;
  /** What is installed, dependencies included, so that it is the same everywhere and always. */
  readonly pins: readonly string[];
  /** The lowest version that all of these run on, as `3.10`. */
  readonly minimum: string;
  /** What the developer reads meanwhile. */
  readonly title: string;
}

interface Python {
  readonly program: string;
  /** Of the interpreter behind the name: a virtual environment is of no use with another one. */
  readonly identity: string;
}

/**
 * The Python interpreter of a virtual environment that holds the pinned packages, for `-m TOOL`. Made once and kept in
 * the cache; Python itself is installed by apt where it is missing. Rejects with what to do where it can't be had.
 */
export async function pythonEnvironment({ name, pins, minimum, title }: PythonEnvironment): Promise<string> {
  const python = await obtainPython(minimum);
  const folder = await cachedFolder(`${name}-${cacheKey([python.identity, ...pins])}`, (folder) =>
    withProgress(title, async (note) => {
      note('making a virtual environment');
      await runCommand(python.program, ['-m', 'venv', folder]);
      note('downloading and unpacking');
      const quietly = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-deps'];
      await runCommand(interpreter(folder), ['-m', 'pip', 'install', ...quietly, ...pins]);
    }),
  );
  return interpreter(folder);
}

/** Finds its folder by where it lies, unlike the scripts beside it, which name the folder that they were made in. */
function interpreter(folder: string): string {
  return join(folder, 'bin', 'python');
}

async function obtainPython(minimum: string): Promise<Python> {
  const advice =
    `install Python ${minimum} or newer with its module venv (on Debian: the packages python3 and python3-venv), ` +
    'so that python3 is on the PATH';
  const present = await usablePython(minimum);
  if (present !== undefined) return present;
  await packagesFromDebian(
    async () => (await usablePython(minimum)) !== undefined,
    ['python3', 'python3-venv'],
    `there is no usable Python: ${advice}`,
  );
  const installed = await usablePython(minimum);
  if (installed !== undefined) return installed;
  throw new Error(`apt installed python3 and python3-venv, but there is no usable Python: ${advice}`);
}

/** The first one that is new enough and can make virtual environments; Debian's own lacks ensurepip at first. */
async function usablePython(minimum: string): Promise<Python | undefined> {
  const candidates = [findProgram('python3'), '/usr/bin/python3'].filter((path) => path !== undefined);
  const [major, minor] = minimum.split('.');
  const script = [
    'import ensurepip, os, sys, venv',
    `assert sys.version_info >= (${major}, ${minor})`,
    'print(sys.version, os.path.realpath(getattr(sys, "_base_executable", sys.executable)))',
  ].join('\n');
  for (const program of new Set(candidates)) {
    const identity = await runCommand(program, ['-c', script]).catch(() => undefined);
    if (identity !== undefined) return { program, identity };
  }
  return undefined;
}
