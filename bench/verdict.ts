/** How a figure stands to its target. */
export interface Verdict {
  readonly text: string;
  readonly isMet: boolean;
}

/** A figure that is none (NaN) misses it. */
export function atMost(title: string, value: number, limit: number): Verdict {
  return verdict(`${title}: ${rounded(value)} (at most ${limit})`, value <= limit);
}

export function atLeast(title: string, value: number, limit: number): Verdict {
  return verdict(`${title}: ${rounded(value)} (at least ${limit})`, value >= limit);
}

/** One that has no target. */
export function figure(title: string, value: number): Verdict {
  return { text: `        ${title}: ${rounded(value)}`, isMet: true };
}

/** Prints a line for each. Returns whether all are met. */
export function tell(verdicts: readonly Verdict[]): boolean {
  for (const { text } of verdicts) console.log(text);
  return verdicts.every(({ isMet }) => isMet);
}

function verdict(text: string, isMet: boolean): Verdict {
  return { text: `${isMet ? 'met   ' : 'MISSED'}  ${text}`, isMet };
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
