import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedFolder, cacheKey } from './cache-folder.ts';
import { assertGo, goBuild } from './control-plane-binaries.ts';
import { runCommand } from './run-command.ts';

/** The nested Go module that pins kustomize. */
const moduleFolder = fileURLToPath(new URL('kustomize/', import.meta.url));

/** What `kubectl apply -k FOLDER` would send, as YAML. Rejects with what kustomize has against it. */
export async function kustomize(folder: string): Promise<string> {
  return runCommand(await kustomizeProgram(), ['build', folder]);
}

/** A cached build of the version pinned in dev/kustomize/go.mod; a developer's own kubectl may be of any. */
async function kustomizeProgram(): Promise<string> {
  const goMod = await readFile(join(moduleFolder, 'go.mod'), 'utf8');
  const goSum = await readFile(join(moduleFolder, 'go.sum'));
  const goVersion = await assertGo(/^go (\S+)$/m.exec(goMod)?.[1] ?? '');
  const version = /^require sigs\.k8s\.io\/kustomize\/kustomize\/v5 v(\S+)$/m.exec(goMod)?.[1] ?? '';
  const name = `kustomize-${cacheKey([goMod, goSum, goVersion])}`;
  const folder = await cachedFolder(name, async (unfinished) => {
    await goBuild({
      module: moduleFolder,
      target: 'sigs.k8s.io/kustomize/kustomize/v5',
      folder: unfinished,
      title: `building kustomize v${version} (about 30 s the first time)`,
    });
  });
  return join(folder, 'kustomize');
}
