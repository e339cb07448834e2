import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinnedProgram } from './pinned-program.ts';
import { runCommand } from './run-command.ts';

/**
 * Runs helm, and returns what it prints. Rejects with what it has against its arguments. It sees no settings, repositories or
 * plugins of the developer's own, and no cluster but that of `kubeconfig`.
 */
export async function helm(args: readonly string[], kubeconfig?: string): Promise<string> {
  const program = await pinnedProgram({ name: 'helm', target: 'helm.sh/helm/v3/cmd/helm', takes: '4 min' });
  const home = await mkdtemp(join(tmpdir(), 'landlord-helm-'));
  try {
    const folders = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      KUBECONFIG: kubeconfig ?? join(home, 'none'),
      ...folders,
    };
    return await runCommand(program, args, { env });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
