import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder, cacheKey } from '../dev/cache-folder.ts';
import { assertGo, goBuild } from '../dev/control-plane-binaries.ts';

/** A nested Go module in this folder. Its program is named like it. */
type GoModule = 'loader' | 'go-ref';

/** The path of the module's program, built once for each state of its sources and kept in the cache. */
export async function goProgram(module: GoModule, duration: string): Promise<string> {
  const sources = join(import.meta.dirname, module);
  const files = (await readdir(sources)).filter((file) => !file.endsWith('_test.go')).toSorted();
  const contents = await Promise.all(files.map((file) => readFile(join(sources, file))));
  const goMod = await readFile(join(sources, 'go.mod'), 'utf8');
  const goVersion = await assertGo(/^go (\S+)$/m.exec(goMod)?.[1] ?? '');
  const folder = await cachedFolder(`bench-${module}-${cacheKey([...contents, goVersion])}`, (folder) =>
    goBuild({
      module: sources,
      target: '.',
      folder,
      title: `building bench/${module} (about ${duration} the first time)`,
    }),
  );
  return join(folder, module);
}
