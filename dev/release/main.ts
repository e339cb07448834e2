/** `npm run release [-- --image REPOSITORY]`: writes dist-release/, all that is handed out with a version but its image. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { repositoryOf } from './image-repository.ts';
import { releaseFiles } from './release-files.ts';

const folder = fileURLToPath(new URL('../../dist-release/', import.meta.url));
try {
  const { values } = parseArgs({ options: { image: { type: 'string' } } });
  const image = values.image === undefined ? {} : { image: repositoryOf(values.image) };
  const files = await releaseFiles(image);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) {
    await writeFile(join(folder, name), content);
    console.log(`dist-release/${name}  ${Math.ceil(Buffer.byteLength(content) / 1024)} kB`);
  }
} catch (error) {
  console.error(`release: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
