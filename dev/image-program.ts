import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedFolder, cacheKey } from './cache-folder.ts';
import { assertGo, goEnvironment } from './control-plane-binaries.ts';
import { withProgress } from './progress.ts';
import { runCommand } from './run-command.ts';

const sourcePath = fileURLToPath(new URL('image/main.go', import.meta.url));

/** Node's names of processors to those of Go and of image manifests. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm' };

/** The architecture of this machine, as Go and image manifests call it. */
export function imageArchitecture(): string {
  const architecture = architectures[process.arch];
  if (architecture === undefined) throw new Error(`no images can be made for the processor ${process.arch}`);
  return architecture;
}

/** The static Linux program of dev/image/main.go, built once and kept in the cache. */
export async function imageProgram(): Promise<Buffer> {
  const source = await readFile(sourcePath);
  const goVersion = await assertGo('1.22');
  const architecture = imageArchitecture();
  const name = `image-program-${cacheKey([source, goVersion, architecture])}`;
  const folder = await cachedFolder(name, (folder) =>
    withProgress('building the program of the images (about 20 s the first time)', async () => {
      const args = ['build', '-trimpath', '-ldflags=-s -w', '-o', join(folder, 'app'), sourcePath];
      await runCommand('go', args, { env: goEnvironment({ GOOS: 'linux', GOARCH: architecture }) });
    }),
  );
  return readFile(join(folder, 'app'));
}
