import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { helm } from '../helm.ts';
import { deployFolder } from './install-manifest.ts';

/** deploy/chart as `helm package` makes a file of it, with `image` as its default repository; and the file's name. */
export async function packagedChart(image?: string): Promise<[name: string, content: Buffer]> {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-chart-'));
  try {
    const chart = join(folder, 'landlord');
    await cp(join(deployFolder, 'chart'), chart, { recursive: true });
    if (image !== undefined) await setRepository(join(chart, 'values.yaml'), image);
    const out = join(folder, 'out');
    await helm(['package', chart, '--destination', out]);
    const [name = ''] = await readdir(out);
    return [name, await readFile(join(out, name))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function setRepository(file: string, image: string): Promise<void> {
  const before = await readFile(file, 'utf8');
  const line = /^( {2}repository:) .*$/m;
  if (!line.test(before)) throw new Error(`${file} names no repository of the image`);
  await writeFile(
    file,
    before.replace(line, (_, key: string) => `${key} ${image}`),
  );
}
