/**
 * How many pulls an engine carries at once. Each bound is below the one before it, so that no registry, namespace or
 * tenant can keep all turns for itself: one that drips delays those who pull from it, and nobody else.
 */
export const pullBounds = { engine: 8, registry: 4, namespace: 3, tenant: 2 } as const;

/** A pull that wants a turn. */
export interface Applicant {
  /** Host of the registry. */
  readonly registry: string;
  /** For whom it is: tenant ids, with their namespaces. It is at the cost of one of them. */
  readonly tenants: ReadonlyMap<string, string>;
}

export interface Turn {
  /** Resolves when it has come. */
  readonly come: Promise<void>;
  hasCome(): boolean;
  /** Gives it back, or up. */
  end(): void;
}

export interface PullTurns {
  take(applicant: Applicant): Turn;
  /** The tenants of an applicant have changed. */
  review(): void;
  /** Whether a pull from another registry than this one waits for nothing but a turn on the engine. */
  isWanted(registry: string): boolean;
}

interface Standing {
  readonly applicant: Applicant;
  readonly begin: () => void;
}

/** Who pays for a pull that runs. */
interface Running {
  readonly applicant: Applicant;
  payer: Payer;
}

interface Payer {
  readonly tenantId: string;
  readonly namespace: string;
}

/** First come, first served, but for namespaces that have fewer pulls under way: those come before. */
export function createPullTurns(): PullTurns {
  const waiting = new Set<Standing>();
  const running = new Map<Applicant, Running>();

  const review = (): void => {
    for (const one of running.values()) settlePayer(one);
    for (let next = choose(waiting, running); next !== undefined; next = choose(waiting, running)) {
      const { standing, payer } = next;
      waiting.delete(standing);
      running.set(standing.applicant, { applicant: standing.applicant, payer });
      standing.begin();
    }
  };

  return {
    take(applicant) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const standing = { applicant, begin: resolve };
      waiting.add(standing);
      review();
      return {
        come: promise,
        hasCome: () => !waiting.has(standing),
        end() {
          waiting.delete(standing);
          running.delete(applicant);
          review();
        },
      };
    },
    review,
    isWanted: (registry) =>
      [...waiting].some(
        ({ applicant }) =>
          applicant.registry !== registry && mayGo(applicant, [...running.values()]) !== undefined,
      ),
  };
}

/** Where who has paid so far wants it no more, another one does who still wants it. */
function settlePayer(one: Running): void {
  const { tenants } = one.applicant;
  if (tenants.has(one.payer.tenantId)) return;
  const [heir] = tenants;
  if (heir !== undefined) one.payer = { tenantId: heir[0], namespace: heir[1] };
}

interface Choice {
  readonly standing: Standing;
  readonly payer: Payer;
  /** Pulls that its namespace has under way. */
  readonly load: number;
}

function choose(
  waiting: ReadonlySet<Standing>,
  running: ReadonlyMap<Applicant, Running>,
): Choice | undefined {
  const under = [...running.values()];
  if (under.length >= pullBounds.engine) return undefined;
  let best: Choice | undefined;
  for (const standing of waiting) {
    const found = mayGo(standing.applicant, under);
    if (found === undefined || (best !== undefined && best.load <= found.load)) continue;
    best = { standing, ...found };
    if (best.load === 0) break;
  }
  return best;
}

/** At whose cost it may go, as far as its registry, its namespaces and its tenants let it. */
function mayGo(applicant: Applicant, under: readonly Running[]): Omit<Choice, 'standing'> | undefined {
  const fromThere = under.filter((one) => one.applicant.registry === applicant.registry);
  return fromThere.length >= pullBounds.registry ? undefined : payerOf(applicant, under);
}

/** Of those for whom it is, who has a turn left, and whose namespace has the fewest under way. */
function payerOf({ tenants }: Applicant, under: readonly Running[]): Omit<Choice, 'standing'> | undefined {
  let best: Omit<Choice, 'standing'> | undefined;
  for (const [tenantId, namespace] of tenants) {
    const load = under.filter(({ payer }) => payer.namespace === namespace).length;
    if (load >= pullBounds.namespace || (best !== undefined && best.load <= load)) continue;
    if (under.filter(({ payer }) => payer.tenantId === tenantId).length >= pullBounds.tenant) continue;
    best = { payer: { tenantId, namespace }, load };
    if (load === 0) break;
  }
  return best;
}
