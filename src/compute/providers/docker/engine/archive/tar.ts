/** Files as the engine takes them. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */

export interface ArchivedFile {
  readonly path: string;
  /** Mode bits. */
  readonly mode: number;
  readonly content: Buffer;
}

const blockBytes = 512;
const longestName = 100;

/** A tar of one folder, which belongs to root. Where there is one, its owner and mode become these. */
export function folderTar(path: string, mode: number): Buffer {
  return Buffer.concat([
    ...entry({ path, mode, content: Buffer.alloc(0) }, '5'),
    Buffer.alloc(2 * blockBytes),
  ]);
}

/** A tar of files that belong to root, of 1970: the same files make the same tar. */
export function tar(files: readonly ArchivedFile[]): Buffer {
  const end = Buffer.alloc(2 * blockBytes);
  return Buffer.concat([...files.flatMap((file) => entry(file, '0')), end]);
}

function entry({ path, mode, content }: ArchivedFile, type: '0' | '5'): Buffer[] {
  const isLong = Buffer.byteLength(path) > longestName;
  const named = isLong ? member({ name: 'long', type: 'x', mode: 0, content: longPath(path) }) : [];
  return [...named, ...member({ name: isLong ? '' : path, type, mode, content })];
}

interface Member {
  readonly name: string;
  /** 0: a file; 5: a folder; x: what holds for the next one. */
  readonly type: '0' | '5' | 'x';
  readonly mode: number;
  readonly content: Buffer;
}

function member({ name, type, mode, content }: Member): Buffer[] {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(content.length, 11), 124);
  header.write(octal(0, 11), 136);
  // The sum is that of a header with blanks for it.
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write('ustar\u{0}00', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
  return [header, content, padding];
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** `LENGTH path=PATH\n`, where the length is that of all of it, its own digits too. */
function longPath(path: string): Buffer {
  const rest = ` path=${path}\n`;
  const restBytes = Buffer.byteLength(rest);
  const guess = restBytes + String(restBytes).length;
  const length = restBytes + String(guess).length;
  return Buffer.from(`${length}${rest}`);
}
