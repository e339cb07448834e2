import { stringify } from 'yaml';
import type { Note } from './finding.ts';

/** YAML for readers of 1.1, as kubectl is: `yes` and `0644` are in quotes where they are texts. */
export function printedManifests(manifests: readonly object[]): string {
  return manifests
    .map(
      (manifest) =>
        `---\n${stringify(manifest, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })}`,
    )
    .join('');
}

/** One line, whatever a user's key holds. */
export function printedNote(file: string, { kind, from, text }: Note): string {
  const line = [file, from, kind, text].filter((part) => part !== '').join(': ');
  return line.replaceAll(/\p{Cc}+/gu, ' ');
}
