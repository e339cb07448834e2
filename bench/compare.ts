import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { controlPlaneBinaries } from '../control-plane-binaries.ts';
import { DIST } from '../build.ts';
import { operatorCommand } from './operator-command.ts';
import { judge, type Comparison } from './targets.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * Runs the kit's `compare` with 1,000 tenants and two pairs of runs, prints its table and how Landlord stands to its
 * targets. Resolves with whether all are met; rejects where the kit or what it needs is missing.
 */
export async function compareWithReference(kitArgs: readonly string[]): Promise<boolean> {
  const kit = benchKit();
  const binaries = await controlPlaneBinaries();
  const out = process.env['BENCH_OUT'] ?? join(tmpdir(), 'bench');
  const results = await mkdtemp(join(tmpdir(), 'landlord-bench-'));
  const reference = join(out, 'bin', 'go-ref');
  const flags = {
    name: 'landlord',
    cwd: ROOT,
    start: operatorCommand(DIST, join(import.meta.dirname, 'landlord.yaml')),
    // The reference runs on Landlord's CRD too, whose phases are an enum.
    'ref-start': `exec ${reference} -phase Ready`,
    crd: join(ROOT, 'crds/landlord.dev_tenants.yaml'),
    template: join(import.meta.dirname, 'tenant.yaml'),
    'update-patch': '{"spec":{"computeConfig":{"mock":{"benchRevision":"{{rev}}"}}}}',
    'ready-field': 'status.phase=Ready',
    n: '1000',
    pairs: '2',
    idle: '30s',
    out: results,
  };
  const defaults = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  // Of two flags of one name the later wins.
  const args = ['compare', ...defaults, ...kitArgs];
  const code = await run(join(kit, 'bench.sh'), args, { ...process.env, KAPI_BIN: binaries, BENCH_OUT: out });
  const comparison = await readComparison(results);
  if (comparison === undefined)
    throw new Error(`the kit ended with exit code ${code} and left no comparison`);
  const { text, isMet } = judge(comparison);
  console.log(`\n${text}`);
  return isMet && code === 0;
}

/** The kit is no part of this repository: it stands beside the checkout, or where LANDLORD_BENCH_KIT says. */
function benchKit(): string {
  const kit = resolve(process.env['LANDLORD_BENCH_KIT'] ?? join(ROOT, '../shared/bench'));
  if (existsSync(join(kit, 'bench.sh'))) return kit;
  throw new Error(
    `there is no bench kit at ${kit}: put it there, or set LANDLORD_BENCH_KIT to the folder that holds its bench.sh`,
  );
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number | null> {
  const child = spawn(command, args, { env, stdio: 'inherit' });
  // At Ctrl-C the kit gets the signal too and ends what it has started; this program waits for it.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
  } finally {
    process.off('SIGINT', ignore);
  }
}

async function readComparison(results: string): Promise<Comparison | undefined> {
  const folders = await readdir(results).catch(() => []);
  const found = folders.find((folder) => folder.startsWith('compare-'));
  if (found === undefined) return undefined;
  return JSON.parse(await readFile(join(results, found, 'compare.json'), 'utf8')) as Comparison;
}
