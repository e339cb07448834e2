import { spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { controlPlaneBinaries } from '../dev/control-plane-binaries.ts';
import { freePort } from '../dev/free-port.ts';
import { operatorCommand, shellCommand } from './operator-command.ts';
import { goProgram } from './programs.ts';
import type { Reference } from './references.ts';
import { judge } from './targets.ts';
import type { Comparison } from './targets.ts';

const root = resolve(import.meta.dirname, '..');
const finalizerPolicy = join(root, 'deploy/components/finalizer-policy/policy.yaml');

/** The operator's config. The loader's Tenants are named as those of the reference operators are. */
const config = { compute: { mock: {} }, policy: { free_tenant_ids: true } };

export interface Comparing {
  readonly reference: Reference;
  /** Whether the apiserver puts Landlord's finalizer on. */
  readonly hasFinalizerPolicy: boolean;
}

/**
 * Measures Landlord and the reference in alternating runs, each on a fresh control plane; prints a table of the figures
 * and how Landlord stands to its targets. `loaderArgs` are flags of bench/loader. Resolves with whether all targets are
 * met; rejects where something that it needs is missing.
 */
export async function compareWithReference(
  { reference, hasFinalizerPolicy }: Comparing,
  loaderArgs: readonly string[],
): Promise<boolean> {
  const binaries = await controlPlaneBinaries();
  const loader = await goProgram('loader', '20 s');
  const out = await mkdtemp(join(tmpdir(), 'landlord-bench-'));
  const address = `127.0.0.1:${await freePort()}`;
  const configFile = join(out, 'landlord.yaml');
  await writeFile(configFile, stringify({ ...config, server: { address } }));
  const flags = {
    etcd: join(binaries, 'etcd'),
    apiserver: join(binaries, 'kube-apiserver'),
    crd: join(root, 'crds/landlord.dev_tenants.yaml'),
    template: join(import.meta.dirname, 'tenant.yaml'),
    'audit-policy': join(import.meta.dirname, 'audit-policy.yaml'),
    'update-patch': '{"spec":{"computeConfig":{"mock":{"benchRevision":"{{rev}}"}}}}',
    'ref-name': reference.name,
    'ref-start': reference.start,
    name: 'landlord',
    start: shellCommand(operatorCommand(configFile)),
    metrics: `http://${address}/metrics`,
    manifests: hasFinalizerPolicy ? finalizerPolicy : '',
    out,
  };
  const ours = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  // Of two flags of one name the later wins.
  const code = await run(loader, [...ours, ...loaderArgs]);
  const comparison = await readComparison(out);
  // --help
  if (comparison === undefined && code === 0) return true;
  if (comparison === undefined)
    throw new Error(`the loader ended with exit code ${code} and left no comparison`);
  const { text, isMet } = judge(comparison, { hasFinalizerPolicy });
  console.log(`\n${text}`);
  return isMet && code === 0;
}

async function run(command: string, args: readonly string[]): Promise<number | null> {
  const child = spawn(command, args, { stdio: 'inherit' });
  // At Ctrl-C the loader gets the signal too and ends what it has started; this program waits for it.
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

async function readComparison(out: string): Promise<Comparison | undefined> {
  const text = await readFile(join(out, 'compare.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Comparison);
}
