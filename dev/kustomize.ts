import { pinnedProgram } from './pinned-program.ts';
import { runCommand } from './run-command.ts';

/** What `kubectl apply -k FOLDER` would send, as YAML. Rejects with what kustomize has against it. */
export async function kustomize(folder: string): Promise<string> {
  const target = 'sigs.k8s.io/kustomize/kustomize/v5';
  const program = await pinnedProgram({ name: 'kustomize', target, takes: '30 s' });
  return runCommand(program, ['build', folder]);
}
