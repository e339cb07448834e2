import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder, cacheKey } from './cache-folder.ts';
import { assertGo, goBuild } from './control-plane-binaries.ts';

export interface PinnedProgram {
  /** Of the program, and of the folder beside this one whose go.mod pins it. */
  readonly name: string;
  /** The package of the program. */
  readonly target: string;
  /** How long the first build takes: `30 s`. */
  readonly takes: string;
}

/** The path of a Go program, built once from the version in its go.mod; a developer's own may be of any. */
export async function pinnedProgram({ name, target, takes }: PinnedProgram): Promise<string> {
  const moduleFolder = join(import.meta.dirname, name);
  const goMod = await readFile(join(moduleFolder, 'go.mod'), 'utf8');
  const goSum = await readFile(join(moduleFolder, 'go.sum'));
  const goVersion = await assertGo(/^go (\S+)$/m.exec(goMod)?.[1] ?? '');
  const version = /^require \S+ v(\S+)$/m.exec(goMod)?.[1] ?? '';
  const folder = await cachedFolder(`${name}-${cacheKey([goMod, goSum, goVersion])}`, async (unfinished) => {
    await goBuild({
      module: moduleFolder,
      target,
      folder: unfinished,
      title: `building ${name} v${version} (about ${takes} the first time)`,
    });
  });
  return join(folder, name);
}
