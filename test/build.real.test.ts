import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { buildOperator } from '../dev/build.ts';
import { runCommand } from '../dev/run-command.ts';
import { startEcsBench } from './cluster/ecs-bench.ts';
import { isReady } from './cluster/test-namespace.ts';

type Outputs = Awaited<ReturnType<typeof buildOperator>>['outputs'];

/** What dependencies bring along and nothing here calls. */
const unused = {
  "client-node's generated models": /client-node\/dist\/gen\/models\/V1/,
  'an ssh client': /node_modules\/(ssh2|cpu-features)\//,
  'what builds images': /node_modules\/(@grpc|protobufjs|tar-stream)\//,
};

describe('the built operator, in a folder without node_modules', () => {
  let folder: string;
  let outputs: Outputs;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'landlord-build-'));
    ({ outputs } = await buildOperator(join(folder, 'dist')));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('prints the CRD that is in crds/', async () => {
    // By its first line, which takes whatever Node the path has: the one that runs the tests.
    const env = { ...process.env, PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) };
    const printed = await runCommand(join(folder, 'dist/main.js'), ['crd'], { cwd: folder, env });
    const [, ...generated] = (
      await readFile(join(import.meta.dirname, '../crds/landlord.dev_tenants.yaml'), 'utf8')
    ).split('\n');
    expect(printed).toBe(generated.join('\n'));
  });

  test('prints a compose file as a Tenant', async () => {
    const file = join(import.meta.dirname, 'corpus/notes.yml');
    const printed = await runCommand(
      process.execPath,
      [join(folder, 'dist/main.js'), 'convert', 'compose', file],
      {
        cwd: folder,
      },
    );
    expect(printed).toMatch(/^kind: Tenant\nmetadata:\n {2}name: notes$/m);
  });

  test.each<[args: string[], said: RegExp]>([
    [['docker', 'none', '--host', inject('dockerHost')], /has no container none$/m],
    [
      ['ecs', 'web', '--region', 'us-west-2', '--endpoint', 'http://127.0.0.1:1'],
      /^landlord: .*127\.0\.0\.1:1 does not answer/m,
    ],
  ])('asks for what is to be imported: %j', async (args, said) => {
    const env = { ...process.env, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
    const main = join(folder, 'dist/main.js');
    const asked = runCommand(process.execPath, [main, 'import', ...args], { cwd: folder, env });
    await expect(asked).rejects.toThrow(said);
  });

  test.each(['mock', 'docker'])('starts with the provider %s, and ends upon SIGTERM', async (provider) => {
    const block = provider === 'docker' ? { image: 'app:1', host: inject('dockerHost') } : {};
    const config = { compute: { [provider]: block }, server: { address: '127.0.0.1:0' } };
    const file = join(folder, `${provider}.yaml`);
    await writeFile(
      file,
      JSON.stringify({ ...config, instance: 'build-test', controller: { namespaces: ['nobody'] } }),
    );
    const { output, code } = await runUntil('Tenants are known', folder, [
      'run',
      '--config',
      file,
      '--kubeconfig',
      inject('operatorKubeconfigPath'),
    ]);
    expect(output).toContain('Tenants are known');
    expect(code).toBe(0);
  });

  test('brings a Tenant to Ready on ECS, and ends upon SIGTERM', async () => {
    const bench = await startEcsBench({ prefix: 'build-ecs' });
    onTestFinished(() => bench.close());
    const file = join(folder, 'ecs.yaml');
    const config = {
      instance: bench.ns.name,
      compute: { ecs: bench.block },
      controller: { namespaces: [bench.ns.name] },
      server: { address: '127.0.0.1:0' },
    };
    await writeFile(file, JSON.stringify(config));
    await bench.ns.create('built', { computeConfig: { ecs: { desired_count: 2 } } });
    const kubeconfig = inject('operatorKubeconfigPath');
    const { output, code } = await runUntil('"reason":"Provisioned"', folder, [
      'run',
      '--config',
      file,
      '--kubeconfig',
      kubeconfig,
    ]);
    const tenant = await bench.ns.get('built');
    expect(tenant !== undefined && isReady(tenant), output).toBe(true);
    expect(await bench.service('built')).toMatchObject({ status: 'ACTIVE', desiredCount: 2 });
    expect(code).toBe(0);
  });

  test("loads no provider's SDK before the provider is enabled", () => {
    const atStart = loadedAtStart(outputs);
    expect(atStart.length).toBeGreaterThan(100);
    expect(atStart.filter((path) => /node_modules\/(dockerode|@aws-sdk|@smithy)\//.test(path))).toEqual([]);
  });

  test('imports nothing that is neither in it nor of Node itself', () => {
    const outside = Object.values(outputs).flatMap(({ imports }) =>
      imports.filter(({ external, path }) => external === true && !isBuiltin(path)).map(({ path }) => path),
    );
    // debug's colours: tried for, and done without.
    expect(outside.filter((path) => path !== 'supports-color')).toEqual([]);
  });

  test("imports none of Node's modules as one of its own kind, which reads each member", () => {
    const imports = Object.values(outputs).flatMap((output) => output.imports);
    const builtins = imports.filter(({ external, path }) => external === true && isBuiltin(path));
    expect(builtins.length).toBeGreaterThan(20);
    expect(builtins.filter(({ kind }) => kind === 'import-statement')).toEqual([]);
  });

  test.each(Object.entries(unused))('leaves %s out', (_, unused) => {
    const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
    expect(inputs.length).toBeGreaterThan(100);
    expect(inputs.filter((path) => unused.test(path))).toEqual([]);
  });
});

/** The sources of main.js and of all that it imports without being asked to. */
function loadedAtStart(outputs: Outputs): string[] {
  const waiting = Object.keys(outputs).filter((path) => path.endsWith('/main.js'));
  const seen = new Set<string>();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const imports = outputs[path]?.imports ?? [];
    waiting.push(...imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path));
  }
  return [...seen].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
}

/** Runs main.js until it prints `text`, then ends it as Kubernetes does. */
async function runUntil(
  text: string,
  folder: string,
  args: readonly string[],
): Promise<{ output: string; code: number | null }> {
  const child = spawn(process.execPath, [join(folder, 'dist/main.js'), ...args], { cwd: folder });
  let output = '';
  const read = (chunk: Buffer): void => {
    const before = output;
    output += chunk.toString();
    if (!before.includes(text) && output.includes(text)) child.kill('SIGTERM');
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const timer = setTimeout(() => child.kill('SIGKILL'), 45_000);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return { output, code };
}
