/** `npm run generate` writes every generated file; with `--check` it only says which are stale, and exits 1. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles } from './files.ts';

const root = join(import.meta.dirname, '../..');
const check = process.argv.includes('--check');
const stale = Object.entries(generatedFiles()).filter(
  ([path, content]) => currentContent(join(root, path)) !== content,
);

for (const [path, content] of stale) {
  if (check) {
    console.error(`${path} is stale: run npm run generate and commit the result`);
    continue;
  }
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  console.log(`wrote ${path}`);
}
if (check && stale.length > 0) process.exitCode = 1;

function currentContent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
