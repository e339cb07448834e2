/** What an image does once it is run. The name before the tag says it; the tag is there to be another image. */
export interface ImageFacts {
  /** `slow`: the registry says nothing for a long while. `missing`: it has no such image. */
  readonly pull: 'fast' | 'slow' | 'missing';
  /** The image has no such program. */
  readonly cannotStart?: boolean;
  /** Its process ends by itself, each time. */
  readonly exits?: { readonly afterMs: number; readonly code: number };
  /** Its process ends where no container of that name answers on its network. */
  readonly needs?: string;
  /** Its health check, where it has one, never succeeds. */
  readonly isSick?: boolean;
  /** Path of a volume that it declares. */
  readonly volume?: string;
}

const catalogue: Readonly<Record<string, ImageFacts>> = {
  app: { pull: 'fast' },
  db: { pull: 'fast' },
  haproxy: { pull: 'fast' },
  slow: { pull: 'slow' },
  stateful: { pull: 'fast', volume: '/data' },
  needsdb: { pull: 'fast', needs: 'db' },
  job: { pull: 'fast', exits: { afterMs: 4_000, code: 0 } },
  badjob: { pull: 'fast', exits: { afterMs: 2_000, code: 1 } },
  crash: { pull: 'fast', exits: { afterMs: 400, code: 1 } },
  latecrash: { pull: 'fast', exits: { afterMs: 8_000, code: 1 } },
  sick: { pull: 'fast', isSick: true },
  nocmd: { pull: 'fast', cannotStart: true },
  missing: { pull: 'missing' },
};

export function isOfCatalogue(reference: string): boolean {
  return Object.hasOwn(catalogue, reference.split(':')[0] ?? '');
}

/** Of one that is run with these arguments: a release does what they are called. */
export function factsOfRun(reference: string, args: readonly string[] = []): ImageFacts {
  const [does] = args;
  if (does === undefined || !isOfCatalogue(does)) return imageFacts(reference);
  const { needs: _needs, ...facts } = imageFacts(reference);
  const { exits } = imageFacts(does);
  return { ...facts, ...(exits && { exits }) };
}

export function imageFacts(reference: string): ImageFacts {
  const facts = catalogue[reference.split(':')[0] ?? ''];
  if (facts === undefined) throw new Error(`no image of the catalogue: ${reference}`);
  return facts;
}
