import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { licenceTexts, productionPackages } from '../../dev/release/licence-texts.ts';
import type { LicensedPackage } from '../../dev/release/licence-texts.ts';

const licensed = (name: string, over: Partial<LicensedPackage> = {}): LicensedPackage => ({
  name,
  version: '1.0.0',
  licence: 'ISC',
  author: 'Jo',
  text: `ISC License\n\nCopyright (c) 2020 ${name}\n\nPermission is granted.`,
  ...over,
});

describe('the packages that the operator is built from', () => {
  const packages = productionPackages(join(import.meta.dirname, '../..'));

  test('are those of production, each once, with their licence', () => {
    const names = packages.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['dockerode', 'zod', 'yaml']));
    expect(names).not.toContain('vitest');
    const versions = packages.map(({ name, version }) => `${name}@${version}`);
    expect(new Set(versions).size).toBe(versions.length);
    expect(packages.filter(({ licence }) => licence === '')).toEqual([]);
  });

  test('each have a text in the one file', () => {
    const text = licenceTexts(packages);
    for (const { name, version, licence } of packages)
      expect(text).toContain(`\n${name} ${version} (${licence})\n`);
  });
});

describe('a package without a licence file', () => {
  test("has the words of its licence, and nobody else's copyright", () => {
    const [, text = ''] = licenceTexts([licensed('one'), licensed('two', { text: '' })]).split(
      'two 1.0.0 (ISC)',
    );
    expect(text).toContain('By Jo.');
    expect(text).toContain('Permission is granted.');
    expect(text).not.toContain('2020 one');
  });

  test.each(['', 'Custom'])('and with a licence that nothing else has stops a release: %j', (licence) => {
    const packages = [licensed('one'), licensed('two', { text: '', licence })];
    expect(() => licenceTexts(packages)).toThrow('two 1.0.0 has no licence file');
  });
});
