import type { Conversion } from './conversion.ts';
import { printedManifests, printedNote } from './printed.ts';

/** Where a command writes, line by line or as it is. */
export interface Output {
  readonly out: (text: string) => unknown;
  readonly error: (line: string) => void;
}

/** How a command ends: well, refused or dropped or invalid, wrongly called. */
export const exitCodes = { well: 0, refused: 1, misused: 2 } as const;

/** Prints what `of` came to; the exit code. */
export function told(
  of: string,
  { manifests, notes }: Conversion,
  isStrict: boolean,
  output: Output,
): number {
  for (const note of notes) output.error(printedNote(of, note));
  const isLess = isStrict && notes.some(({ kind }) => kind === 'dropped');
  if (manifests.length > 0) output.out(printedManifests(manifests));
  return manifests.length === 0 || isLess ? exitCodes.refused : exitCodes.well;
}
