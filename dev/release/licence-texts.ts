import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package that the operator is built from. */
export interface LicensedPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json says it, an SPDX expression as a rule; empty: it says nothing. */
  readonly licence: string;
  readonly author: string;
  /** What its licence and notice files say; empty: it has no licence file. */
  readonly text: string;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
}

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  /** How packages said it ten years ago. */
  readonly licenses?: readonly { readonly type: string }[];
  readonly author?: string | { readonly name?: string };
}

/** The production packages of the lock file in `root`, by name and version; without optional ones that are not installed. */
export function productionPackages(root: string): LicensedPackage[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const found = Object.entries(packages)
    .filter(([path, { dev = false }]) => path !== '' && !dev)
    .flatMap(([path, { optional = false }]) => packageAt(join(root, path), optional) ?? []);
  const byVersion = new Map(found.map((entry) => [`${entry.name}@${entry.version}`, entry]));
  return [...byVersion].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function packageAt(folder: string, isOptional: boolean): LicensedPackage | undefined {
  let files: string[];
  try {
    files = readdirSync(folder);
  } catch (error) {
    if (isOptional) return undefined;
    throw new Error(`${folder} is not installed: run npm ci`, { cause: error });
  }
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageManifest;
  const { name, version, license, licenses = [], author = '' } = manifest;
  const licenceFiles = files.filter((file) => /^(licen[cs]e|copying)/i.test(file)).toSorted();
  const notices = files.filter((file) => /^notice/i.test(file)).toSorted();
  const text = (licenceFiles.length === 0 ? [] : [...licenceFiles, ...notices])
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
    .join('\n\n');
  return {
    name,
    version,
    licence: license ?? licenses.map(({ type }) => type).join(' OR '),
    author: typeof author === 'string' ? author : (author.name ?? ''),
    text,
  };
}

/**
 * All licence texts in one file. A package without one of its own gets the words of its licence from another package with
 * the same, less that one's copyright. Throws for a package whose licence nobody can tell.
 */
export function licenceTexts(packages: readonly LicensedPackage[]): string {
  const sections = packages.map((entry) => {
    const title = `${entry.name} ${entry.version} (${entry.licence})`;
    return `${'='.repeat(80)}\n${title}\n${'='.repeat(80)}\n\n${textOf(entry, packages)}\n`;
  });
  return sections.join('\n');
}

function textOf(entry: LicensedPackage, packages: readonly LicensedPackage[]): string {
  const { name, version, licence, author, text } = entry;
  if (text !== '') return text;
  const same = packages.find((other) => licence !== '' && other.licence === licence && other.text !== '');
  if (same === undefined) {
    throw new Error(
      `${name} ${version} has no licence file, and nothing else has its licence (${licence || 'not named either'}): ` +
        'ask its authors, or do without it',
    );
  }
  const words = same.text.split('\n').filter((line) => !/^\s*copyright (\(c\)|©|\d{4})/i.test(line));
  return `By ${author}. It has no licence file of its own; these are the words of ${licence}.\n\n${words.join('\n').trim()}`;
}
