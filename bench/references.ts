import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pythonEnvironment } from '../dev/python-environment.ts';
import { shellCommand } from './operator-command.ts';
import { goProgram } from './programs.ts';

/** An operator that does on the mock provider what Landlord does, as its framework's users would write it. */
export interface Reference {
  readonly name: string;
  /** A shell command. It takes the cluster from KUBECONFIG, and ends upon SIGTERM. */
  readonly start: string;
}

/** controller-runtime, in Go. */
export async function goReference(): Promise<Reference> {
  return { name: 'go-ref', start: shellCommand([await goProgram('go-ref', '2 min')]) };
}

/** kopf, in Python. */
export async function kopfReference(): Promise<Reference> {
  const sources = join(import.meta.dirname, 'kopf-ref');
  const requirements = await readFile(join(sources, 'requirements.txt'), 'utf8');
  const python = await pythonEnvironment({
    name: 'kopf',
    pins: requirements.trim().split('\n'),
    minimum: '3.11',
    title: 'installing kopf from PyPI (about 20 s the first time)',
  });
  // -B: no bytecode is written beside the source.
  const run = ['-B', '-m', 'kopf', 'run', '--standalone', '--all-namespaces'];
  return { name: 'kopf-ref', start: shellCommand([python, ...run, join(sources, 'operator.py')]) };
}
