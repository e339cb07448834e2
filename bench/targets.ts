import { atMost as heldTo } from './verdict.ts';

/** What is read of the loader's compare.json: a row per figure, a value per run. */
export interface Comparison {
  /** A result per run of Landlord's. */
  readonly subject: readonly { readonly n: number }[];
  readonly rows: readonly {
    readonly key: string;
    /** Null: none was measured. */
    readonly ref: readonly number[] | null;
    readonly subject: readonly number[] | null;
    readonly minRatio: number;
    readonly medianRatio: number;
  }[];
}

interface Target {
  readonly title: string;
  readonly key: string;
  /**
   * Of the ratio subject / reference, of the subject's own figure, or of a count. Of the first two it is the best runs' that
   * counts: noise only ever adds. Counts are held at their worst.
   */
  readonly of: 'ratio' | 'figure' | 'count';
  /** By the number of Tenants up to which it is named, where it is not named for all. */
  readonly atMost: number | readonly (readonly [tenants: number, atMost: number])[];
}

const targets: readonly Target[] = [
  { title: 'create → all Ready, times the reference', key: 'create.seconds', of: 'ratio', atMost: 1.05 },
  { title: 'update → all Ready, times the reference', key: 'update.seconds', of: 'ratio', atMost: 1 },
  { title: 'delete → all gone, times the reference', key: 'delete.seconds', of: 'ratio', atMost: 1 },
  { title: 'trickle p50, times the reference', key: 'trickle.p50ms', of: 'ratio', atMost: 1.05 },
  { title: 'trickle p99, times the reference', key: 'trickle.p99ms', of: 'ratio', atMost: 1.05 },
  { title: 'CPU of the operator, times the reference', key: 'total.cpu', of: 'ratio', atMost: 1.3 },
  { title: 'restart, times the reference', key: 'restart.seconds', of: 'ratio', atMost: 1.5 },
  { title: 'writes per tenant at create', key: 'create.writesPer', of: 'count', atMost: 2 },
  { title: 'writes per change', key: 'update.writesPer', of: 'count', atMost: 1 },
  { title: 'writes per deletion', key: 'delete.writesPer', of: 'count', atMost: 1 },
  { title: 'writes when idle', key: 'idle.writes', of: 'count', atMost: 0 },
  { title: 'writes to unchanged tenants at a restart', key: 'restart.otherWrites', of: 'count', atMost: 0 },
  {
    title: 'resident memory at its peak, MB',
    key: 'total.peakMB',
    of: 'figure',
    atMost: [
      [1_000, 100],
      [10_000, 180],
      [50_000, 600],
    ],
  },
  { title: 'memory after churn, times that at its start', key: 'churn.growth', of: 'figure', atMost: 1.05 },
  {
    title: 'event-loop delay p99 in the storm of updates, ms',
    key: 'update.loopP99ms',
    of: 'figure',
    atMost: [[5_000, 20]],
  },
  {
    title: 'event-loop delay p99 at a restart, ms',
    key: 'restart.loopP99ms',
    of: 'figure',
    atMost: [[10_000, 50]],
  },
];

/** Where the apiserver puts the finalizer on, for Landlord but not for the reference. */
const withFinalizerPolicy: Readonly<Record<string, number>> = {
  'create.seconds': 0.7,
  'create.writesPer': 1,
};

/** How the figures stand to the targets, a line each. Phases that were left out are no failure. */
export function judge(
  comparison: Comparison,
  { hasFinalizerPolicy = false }: { readonly hasFinalizerPolicy?: boolean } = {},
): { readonly text: string; readonly isMet: boolean } {
  const tenants = comparison.subject[0]?.n ?? 0;
  const lines = targets.flatMap((target) => {
    const { title, key } = target;
    const value = valueOf(target, comparison);
    const atMost = (hasFinalizerPolicy ? withFinalizerPolicy[key] : undefined) ?? limitOf(target, tenants);
    return value === undefined || atMost === undefined ? [] : [heldTo(title, value, atMost)];
  });
  const text = lines.map((line) => line.text).join('\n');
  return { text, isMet: lines.length > 0 && lines.every(({ isMet }) => isMet) };
}

function valueOf({ key, of }: Target, { rows }: Comparison): number | undefined {
  const row = rows.find((candidate) => candidate.key === key);
  if (row === undefined || row.subject === null) return undefined;
  if (of === 'ratio') return row.ref === null ? undefined : row.minRatio;
  return of === 'figure' ? Math.min(...row.subject) : Math.max(...row.subject);
}

function limitOf({ atMost }: Target, tenants: number): number | undefined {
  return typeof atMost === 'number' ? atMost : atMost.find(([most]) => tenants <= most)?.[1];
}
