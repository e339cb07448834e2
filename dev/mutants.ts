import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { removeOnDeath } from './leftovers.ts';
import { candidatesOf, sample } from './mutant-candidates.ts';
import type { Mutant } from './mutant-candidates.ts';

/**
 * A random sample of mutants of src against the tests: which do they notice? Runs on a copy, so the working tree stays as
 * it is, and an interrupted run leaves nothing in it.
 */

const usage = `npm run mutants -- [N] [SEED] [--in PATH] [--tests FILE ...]

  N       mutants to try (default 20)
  SEED    which ones (default 1)
  --in    only mutants of this file or folder, such as src/controller
  --line  only mutants of this line of the one file that --in names
  --tests instead of the unit tests that import the file: these test files, of any project`;

const root = fileURLToPath(new URL('..', import.meta.url));
/** A mutant may run for ever. Unit tests of one file take some 15 s, real ones minutes. */
const unitTimeoutMs = 120_000;
const chosenTimeoutMs = 900_000;

interface Options {
  readonly count: number;
  readonly seed: number;
  readonly within: string;
  readonly line: number | undefined;
  readonly tests: readonly string[];
}

function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      in: { type: 'string', default: 'src' },
      line: { type: 'string' },
      tests: { type: 'string', multiple: true, default: [] },
    },
  });
  const [count = 20, seed = 1] = positionals.map(Number);
  if (!Number.isInteger(count) || !Number.isInteger(seed) || count < 1) throw new Error(usage);
  const line = values.line === undefined ? undefined : Number(values.line);
  return { count, seed, within: values.in, line, tests: values.tests };
}

function trackedFiles(...paths: string[]): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...paths];
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
}

async function copyOfTree(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'landlord-mutants-'));
  for (const file of trackedFiles()) {
    // A file that was deleted and not committed yet is still in the index.
    await cp(join(root, file), join(copy, file), { mode: 0 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** What the tests make of the mutant in the copy. A hang counts as noticed, if the machine was not just slow. */
type Fate = 'killed' | 'hangs' | 'SURVIVES';

async function fateOf(copy: string, mutant: Mutant, tests: readonly string[]): Promise<Fate> {
  const path = join(copy, mutant.file);
  const text = await readFile(path, 'utf8');
  const lines = text.split('\n');
  lines[mutant.line - 1] = mutant.after;
  await writeFile(path, lines.join('\n'));
  const chosen =
    tests.length > 0
      ? ['run', ...tests]
      : ['related', '--run', '--project', 'unit*', '--exclude', 'test/architecture.test.ts', mutant.file];
  const args = ['node_modules/vitest/vitest.mjs', ...chosen, '--bail', '1', '--passWithNoTests'];
  // A group of its own: a worker that loops for ever does not end with its parent.
  const child = spawn(process.execPath, args, { cwd: copy, detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  const pid = child.pid as number;
  const forget = removeOnDeath({ kind: 'process', pid });
  const timeoutMs = tests.length > 0 ? chosenTimeoutMs : unitTimeoutMs;
  const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), timeoutMs);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === null) return 'hangs';
    return code === 0 ? 'SURVIVES' : 'killed';
  } finally {
    clearTimeout(timer);
    forget();
    await writeFile(path, text);
  }
}

const options = parseOptions(process.argv.slice(2));
const files = trackedFiles(options.within).filter((file) => file.startsWith('src/') && file.endsWith('.ts'));
const texts = await Promise.all(
  files.map(async (file) => [file, await readFile(join(root, file), 'utf8')] as const),
);
const candidates = texts
  .flatMap(([file, text]) => candidatesOf(file, text))
  .filter(({ line }) => options.line === undefined || line === options.line);
const picked = sample(candidates, options.count, options.seed);
const copy = await copyOfTree();
let killed = 0;
try {
  for (const mutant of picked) {
    const startedAt = performance.now();
    const fate = await fateOf(copy, mutant, options.tests);
    if (fate !== 'SURVIVES') killed += 1;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
    const where = `${mutant.file}:${mutant.line}`;
    console.log(
      `${fate.padEnd(8)}${seconds} s  ${where} | ${mutant.before.trim()} -> ${mutant.after.trim()}`,
    );
  }
} finally {
  await rm(copy, { recursive: true, force: true });
}
const share = picked.length === 0 ? 0 : Math.round((100 * killed) / picked.length);
console.log(
  `${killed} of ${picked.length} mutants killed (${share} %, ${candidates.length} candidates, seed ${options.seed})`,
);
