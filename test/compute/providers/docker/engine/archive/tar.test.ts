import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { expect, test } from 'vitest';
import { tar } from '../../../../../../src/compute/providers/docker/engine/archive/tar.ts';

/** What somebody else's reader finds in it. */
async function read(archive: Buffer): Promise<string[]> {
  const found: string[] = [];
  const reader = Readable.from([archive]).pipe(extract());
  for await (const entry of reader) {
    const { name, mode, uid, gid, type, mtime } = entry.header;
    const content = await text(entry);
    found.push(`${type} ${name} ${mode.toString(8)} ${uid}:${gid} ${mtime?.getTime()} ${content}`);
  }
  return found;
}

test('files have their paths, modes and contents, and belong to root', async () => {
  const long = `${'a'.repeat(120)}/ü`;
  const files = [
    { path: 'tls.key', mode: 0o400, content: Buffer.from('hunter2') },
    { path: 'sub/empty', mode: 0o644, content: Buffer.alloc(0) },
    { path: 'ü', mode: 0o755, content: Buffer.from('x'.repeat(512)) },
    { path: long, mode: 0o644, content: Buffer.from('y'.repeat(513)) },
  ];
  expect(await read(tar(files))).toEqual([
    'file tls.key 400 0:0 0 hunter2',
    'file sub/empty 644 0:0 0 ',
    `file ü 755 0:0 0 ${'x'.repeat(512)}`,
    `file ${long} 644 0:0 0 ${'y'.repeat(513)}`,
  ]);
  expect(tar(files)).toEqual(tar(files));
});

test.each([101, 980, 988, 989, 990, 991, 992, 999])('a path of %d characters is one', async (length) => {
  const path = 'p'.repeat(length);
  expect(await read(tar([{ path, mode: 0o644, content: Buffer.from('x') }]))).toEqual([
    `file ${path} 644 0:0 0 x`,
  ]);
});

test('no files are an archive, too', async () => {
  expect(await read(tar([]))).toEqual([]);
});
