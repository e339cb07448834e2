/**
 * `npm run verify:clean`: a test of the test run itself. Runs the tests beside a Docker Engine at the usual socket that
 * runs somebody else's container, asks that container's published port all the while, and compares the machine before
 * and after. What follows `--` goes to vitest. Exit code 1: a test failed, something differs, or the port fell silent.
 *
 * By default the machine is one of its own: namespaces in which a Docker Engine is started as a machine has it, which
 * needs no engine and risks none. They have no way to the world: what the tests build or download must be in the cache,
 * which this sees to. With `--here` it is this machine, with the engine that it has.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findProgram } from './find-program.ts';
import { startForeignContainer } from './foreign-container.ts';
import { removeOnDeath } from './leftovers.ts';
import { startMachineEngine } from './machine-engine.ts';
import { machineSnapshot, snapshotChanges } from './machine-snapshot.ts';
import type { MachineSnapshot } from './machine-snapshot.ts';
import { pythonTools } from './python-tools.ts';
import { startRealParts } from './real-parts.ts';
import { runCommand } from './run-command.ts';

const socketPath = '/var/run/docker.sock';

// What died last is tidied up after by the watchdog, in the background.
const settlingMs = 30_000;

const vitestPath = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));

const [first = '', ...others] = process.argv.slice(2);
if (first === '--here') process.exitCode = await verifyHere(others);
else if (first === '--inside') process.exitCode = await verifyInside(others);
else process.exitCode = await verifyInNamespaces(process.argv.slice(2));

async function verifyInNamespaces(tests: readonly string[]): Promise<number> {
  await (await startRealParts()).stop();
  await pythonTools();
  // A shell as the first process: it takes in the orphans of the tests, as that of a machine does.
  const inside = ['sh', '-c', '"$@"; exit $?', 'sh', process.execPath, fileURLToPath(import.meta.url)];
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  return run('unshare', [...namespaces, ...inside, '--inside', ...tests], process.env);
}

async function verifyInside(tests: readonly string[]): Promise<number> {
  await runCommand(findProgram('ip') ?? 'ip', ['link', 'set', 'lo', 'up']);
  // The socket, and all that programs keep in /run whatever they are told.
  await runCommand('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  const folder = await mkdtemp(join(tmpdir(), 'landlord-machine-'));
  delete process.env['DOCKER_HOST'];
  const stopEngine = await startMachineEngine(folder, socketPath);
  try {
    return await verifyHere(tests);
  } finally {
    await stopEngine();
  }
}

async function verifyHere(tests: readonly string[]): Promise<number> {
  const dockerHost = process.env['DOCKER_HOST'] || `unix://${socketPath}`;
  const foreign = await startForeignContainer(dockerHost);
  const folder = await mkdtemp(join(tmpdir(), 'landlord-verify-'));
  const forget = removeOnDeath({ kind: 'folder', path: folder });
  const temporaryFolder = join(folder, 't');
  await mkdir(temporaryFolder);
  try {
    const options = { dockerHost, temporaryFolder, marker: randomUUID() };
    const before = await machineSnapshot(options);
    const stopped = new AbortController();
    const watching = foreign.watch(stopped.signal);
    const environment = {
      ...process.env,
      TMPDIR: temporaryFolder,
      LANDLORD_VERIFY_CLEAN: options.marker,
      // Else npm and prettier, which some tests run, keep compiled code there for their next start.
      NODE_DISABLE_COMPILE_CACHE: '1',
    };
    const code = await run(process.execPath, [vitestPath, 'run', ...tests], environment);
    const changes = await lastingChanges(before, () => machineSnapshot(options));
    stopped.abort();
    return report({ code, changes, port: await watching, url: foreign.url });
  } finally {
    await foreign.remove();
    await rm(folder, { recursive: true, force: true });
    forget();
  }
}

async function lastingChanges(
  before: MachineSnapshot,
  look: () => Promise<MachineSnapshot>,
): Promise<readonly string[]> {
  const deadline = Date.now() + settlingMs;
  for (;;) {
    const changes = snapshotChanges(before, await look());
    if (changes.length === 0 || Date.now() > deadline) return changes;
    await sleep(500);
  }
}

function report(seen: {
  readonly code: number;
  readonly changes: readonly string[];
  readonly port: { readonly looks: number; readonly failures: readonly string[] };
  readonly url: string;
}): number {
  const { code, changes, port, url } = seen;
  const { looks, failures } = port;
  console.log(code === 0 ? '\nThe tests passed.' : `\nThe tests ended with exit code ${code}.`);
  console.log(`The published port ${url} was asked ${looks} times and failed ${failures.length} times.`);
  for (const failure of failures.slice(0, 20)) console.log(`  ${failure}`);
  console.log(changes.length === 0 ? 'The machine is as it was.' : 'The machine is not as it was:');
  for (const change of changes) console.log(`  ${change}`);
  return code === 0 && changes.length === 0 && failures.length === 0 && looks > 0 ? 0 : 1;
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', env });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
