import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The pages that people write; docs/reference is generated. */

export const repository = fileURLToPath(new URL('../../', import.meta.url));

export interface Page {
  /** Relative to the repository. */
  readonly file: string;
  /** Absolute; what its links are relative to. */
  readonly folder: string;
  readonly text: string;
}

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** For the name of a test: `docs/concepts.md:42`. */
  readonly where: string;
}

export function readPages(): Page[] {
  const top = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md'];
  const below = readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.startsWith('reference'))
    .map((file) => join('docs', file));
  return [...top, ...below].map((file) => {
    const path = join(repository, file);
    return { file: relative(repository, path), folder: dirname(path), text: readFileSync(path, 'utf8') };
  });
}

export function codeBlocks({ file, text }: Page): CodeBlock[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    return { language: match[1] ?? '', text: match[2] ?? '', where: `${file}:${line}` };
  });
}

/** What GitHub makes of the headings: `#the-operator-does-not-start`. */
export function anchors(text: string): string[] {
  return headings(text).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

export function headings(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] ?? '');
}
