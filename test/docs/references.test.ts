import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reasons } from '../../src/api/conditions.ts';
import { mockOperations, mockSharedKeys } from '../../src/compute/providers/mock/config.ts';
import { anchors, headings, readPages, repository } from './markdown.ts';
import type { Page } from './markdown.ts';

const pages = readPages();

function pageOf(file: string): Page {
  const page = pages.find((candidate) => candidate.file === file);
  if (page === undefined) throw new Error(`there is no ${file}`);
  return page;
}

/** What is wrong with the target of a link on `page`; undefined: nothing. */
function brokenLink(page: Page, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? join(repository, page.file) : join(page.folder, path);
  if (!existsSync(file)) return `${target}: there is no ${relative(repository, file)}`;
  if (anchor === undefined || anchors(readFileSync(file, 'utf8')).includes(anchor)) return undefined;
  return `${target}: ${relative(repository, file)} has no such heading`;
}

describe('on every page', () => {
  test.each(pages)('links lead to files and headings that exist: $file', (page) => {
    const targets = [...page.text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
    const local = targets.filter((target) => !/^https?:/.test(target));
    expect(local.flatMap((target) => brokenLink(page, target) ?? [])).toEqual([]);
  });

  test.each(pages)('paths in the repository exist: $file', ({ text }) => {
    const code = [...text.matchAll(/`([^`\n]+)`/g), ...text.matchAll(/^```sh\n(.*?)^```$/gms)];
    const paths = code
      .flatMap(
        (match) =>
          (match[1] ?? '').match(/(?<![\w./~-])(src|dev|bench|docs|deploy|test|crds)\/[\w./-]*/g) ?? [],
      )
      // NAME stands for something.
      .filter((path) => !/[A-Z]{4}/.test(path));
    expect(paths.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });

  test.each(pages)('npm scripts exist: $file', ({ text }) => {
    const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const run = [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? '');
    const short = [...text.matchAll(/npm (test|start)\b/g)].map((match) => match[1] ?? '');
    expect([...run, ...short].filter((name) => !(name in manifest.scripts))).toEqual([]);
  });
});

describe('the index', () => {
  test('leads to every page below docs', () => {
    const { text } = pageOf('docs/README.md');
    const others = pages.map(({ file }) => file).filter((file) => /^docs\/(?!README)/.test(file));
    expect(others.filter((file) => !text.includes(`](${relative('docs', file)})`))).toEqual([]);
  });
});

describe('the page on troubleshooting', () => {
  test('has a section for each reason, and none for what is no reason', () => {
    const { text } = pageOf('docs/troubleshooting.md');
    const [, ...sections] = headings(text);
    const expected = [...reasons, 'The operator does not start'];
    expect(sections.toSorted()).toEqual(expected.toSorted());
  });

  test.each(reasons)('says what to do about %s', (reason) => {
    const { text } = pageOf('docs/troubleshooting.md');
    const section = text.split(`\n## ${reason}\n`)[1]?.split('\n## ')[0] ?? '';
    expect(section.trim().length).toBeGreaterThan(80);
  });
});

describe('the page on mock', () => {
  test('names every key and every operation that can fail', () => {
    const { text } = pageOf('docs/providers/mock.md');
    expect([...mockSharedKeys, ...mockOperations].filter((word) => !text.includes(`\`${word}\``))).toEqual(
      [],
    );
  });
});
