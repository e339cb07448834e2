/** A folder (its path ends with a slash), a symbolic link, or an executable file. */
export type TarEntry =
  | { readonly path: string; readonly content: Buffer | undefined }
  | { readonly path: string; readonly linkTo: string };

const BLOCK = 512;

/** A ustar archive in which everything belongs to root and dates from 1970, so that equal input gives equal bytes. */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = 'content' in entry ? (entry.content ?? Buffer.alloc(0)) : Buffer.alloc(0);
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [header(entry, content.length), content, padding];
  });
  // Two empty blocks end the archive.
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const isFolder = entry.path.endsWith('/');
  // The fields and their offsets: POSIX.1-2017, pax, "ustar Interchange Format".
  block.write(entry.path, 0, 100);
  writeOctal(block, isFolder ? 0o1777 : 0o755, { offset: 100, length: 8 });
  writeOctal(block, 0, { offset: 108, length: 8 });
  writeOctal(block, 0, { offset: 116, length: 8 });
  writeOctal(block, size, { offset: 124, length: 12 });
  writeOctal(block, 0, { offset: 136, length: 12 });
  block.write(typeFlag(entry), 156);
  if ('linkTo' in entry) block.write(entry.linkTo, 157, 100);
  block.write('ustar\u000000', 257);
  // The checksum counts itself as eight spaces.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function typeFlag(entry: TarEntry): string {
  if ('linkTo' in entry) return '2';
  return entry.path.endsWith('/') ? '5' : '0';
}

function writeOctal(block: Buffer, value: number, at: { offset: number; length: number }): void {
  block.write(`${value.toString(8).padStart(at.length - 1, '0')}\0`, at.offset);
}
