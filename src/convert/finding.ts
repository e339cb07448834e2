/** What a converter has found at one place of its source. */

/** A key, or an item of a list by what tells it from its neighbours. */
export type Step = string | { readonly item: string };

export function item(name: string): Step {
  return { item: name };
}

/** A value that goes into the Tenant's spec. */
export interface Placed {
  readonly kind: 'placed';
  /** Where in the spec. */
  readonly at: readonly Step[];
  readonly value: unknown;
  /** Where it stood, such as `services.web.ports`. */
  readonly from: string;
}

/**
 * - refused: without it there is no Tenant at all.
 * - dropped: without it, what runs is something else, finds something else, or may not do something.
 * - changed: said in other words, left out because nothing that runs depends on it, or less apart than it was.
 * - needs: what must be there before it runs, of the operator's policy or in the namespace.
 */
export type NoteKind = 'refused' | 'dropped' | 'changed' | 'needs';

export interface Note {
  readonly kind: NoteKind;
  readonly from: string;
  readonly text: string;
}

/** Another manifest that the Tenant needs beside it: a ConfigMap or a Secret. */
export interface Beside {
  readonly kind: 'beside';
  readonly of: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly key: string;
  readonly content: string;
}

export type Finding = Placed | Note | Beside;

export function placed(at: readonly Step[], value: unknown, from: string): Placed {
  return { kind: 'placed', at, value, from };
}

export function note(kind: NoteKind, from: string, text: string): Note {
  return { kind, from, text };
}

export function isPlaced(finding: Finding): finding is Placed {
  return finding.kind === 'placed';
}

export function isBeside(finding: Finding): finding is Beside {
  return finding.kind === 'beside';
}

export function isNote(finding: Finding): finding is Note {
  return !isPlaced(finding) && !isBeside(finding);
}

/** A value that can't be said in a Tenant: what is thrown where a key is read, and noted where its row ends. */
export class Unsayable extends Error {
  readonly kind: 'refused' | 'dropped';

  constructor(message: string, kind: 'refused' | 'dropped' = 'dropped') {
    super(message);
    this.kind = kind;
  }
}

/** What `read` finds; what it can't say is a note at `from`. */
export function sayable(from: string, read: () => readonly Finding[]): readonly Finding[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unsayable) return [note(error.kind, from, error.message)];
    throw error;
  }
}
