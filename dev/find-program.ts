import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The full path of `program` in the PATH or where Debian puts servers, which an ordinary PATH may lack. */
export function findProgram(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
}
