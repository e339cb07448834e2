import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { pack } from 'tar-stream';
import { programFromDebian } from './debian-packages.ts';
import { runCommand } from './run-command.ts';

/** What stands in for an image that a public registry has: a program of Debian's, with the libraries that it is linked to. */

/** Brings it onto the engine under that name; by no registry. Installs the package of the program's name where it is missing. */
export async function importProgram(docker: Dockerode, program: string, reference: string): Promise<void> {
  const path = await programFromDebian(program, [program], `install ${program}`);
  const linked = await runCommand('ldd', [path]);
  // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f…)`, and the loader itself without an arrow.
  const libraries = [...linked.matchAll(/(?:=> |^\t)(\/\S+) \(0x/gm)].flatMap(([, library]) => library ?? []);
  const files = [path, ...libraries];
  const entry = { mode: 0o755, mtime: new Date(0) };
  const tar = pack();
  // A folder that is only in the way to a file would be root's alone, and closed to one without rights of the host's.
  for (const folder of new Set(files.flatMap(foldersTo)))
    tar.entry({ name: `${folder.slice(1)}/`, type: 'directory', ...entry });
  for (const file of files) tar.entry({ name: file.slice(1), ...entry }, await readFile(file));
  tar.finalize();
  const [repo, tag] = reference.split(':');
  const answer = await docker.importImage(Readable.from([await buffer(tar)]), { repo, tag });
  await buffer(answer as Readable);
}

/** From the root on. */
function foldersTo(file: string): readonly string[] {
  const folder = dirname(file);
  return folder === '/' ? [] : [...foldersTo(folder), folder];
}
