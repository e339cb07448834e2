/** What is read of the loader's compare.json: a row per figure, a value per run. */
export interface Comparison {
  readonly rows: readonly {
    readonly key: string;
    readonly ref: readonly number[] | null;
    readonly subject: readonly number[] | null;
    readonly minRatio: number;
    readonly medianRatio: number;
  }[];
}

interface Target {
  readonly title: string;
  readonly key: string;
  /** Of the ratio subject / reference, else of the subject's own figure. */
  readonly of: 'ratio' | 'figure';
  /** The ratio is that of the best runs: noise only ever adds. Own figures count at their worst. */
  readonly atMost: number;
}

const targets: readonly Target[] = [
  { title: 'create → all Ready, times the reference', key: 'create.seconds', of: 'ratio', atMost: 1.2 },
  { title: 'writes per tenant at create', key: 'create.writesPer', of: 'figure', atMost: 2 },
  { title: 'writes per change', key: 'update.writesPer', of: 'figure', atMost: 1 },
  { title: 'writes per deletion', key: 'delete.writesPer', of: 'figure', atMost: 1 },
  { title: 'writes when idle', key: 'idle.writes', of: 'figure', atMost: 0 },
  {
    title: 'writes to unchanged tenants at a restart',
    key: 'restart.otherWrites',
    of: 'figure',
    atMost: 0,
  },
  { title: 'resident memory at its peak, MB', key: 'total.peakMB', of: 'figure', atMost: 130 },
];

/** How the figures stand to the targets, a line each. Phases that were left out are no failure. */
export function judge(comparison: Comparison): { readonly text: string; readonly isMet: boolean } {
  const lines = targets.flatMap(({ title, key, of, atMost }) => {
    const row = comparison.rows.find((candidate) => candidate.key === key);
    if (row === undefined || row.subject === null) return [];
    const value = of === 'ratio' ? row.minRatio : Math.max(...row.subject);
    return [{ title, value, atMost, isMet: value <= atMost }];
  });
  const text = lines
    .map(
      ({ title, value, atMost, isMet }) =>
        `${isMet ? 'met   ' : 'MISSED'}  ${title}: ${Number(value.toFixed(3))} (at most ${atMost})`,
    )
    .join('\n');
  return { text, isMet: lines.length > 0 && lines.every(({ isMet }) => isMet) };
}
