import type { Marks } from '../../../../ownership.ts';

/**
 * Which images a container's predecessors were made of, the last one first: the way back to the last two states of the spec
 * leads through them, and the containers that were made of them are gone by then. It is a label of the container itself, so
 * that the engine remembers it as long as there is something to roll back.
 */
export const imagesBeforeMark = 'images_before';

const kept = 2;

interface Made {
  readonly imageId: string;
  readonly made: { readonly imagesBefore?: readonly string[] | undefined };
}

/** Ids. Of a state with the same image, what came before that one. */
export function imagesBefore(imageId: string, predecessor: Made | undefined): readonly string[] {
  if (predecessor === undefined) return [];
  const all = new Set([predecessor.imageId, ...(predecessor.made.imagesBefore ?? [])]);
  all.delete(imageId);
  all.delete('');
  return [...all].slice(0, kept);
}

export function imagesBeforeText(ids: readonly string[]): string {
  return ids.join(' ');
}

export function readImagesBefore(text: string | undefined): readonly string[] | undefined {
  return text?.split(' ').filter((id) => id !== '');
}

/** The same of any container's labels, whosever it is: other operators have prefixes of their own. */
export function toldBefore(labels: Marks): readonly string[] {
  return Object.entries(labels).flatMap(([key, text]) =>
    key.endsWith(`.${imagesBeforeMark}`) ? (readImagesBefore(text) ?? []) : [],
  );
}
