/** What an operator of the tests serves at /metrics, as numbers. */
export interface OperatorMetrics {
  /** The sum over the series of this name that bear these labels; 0 where there is none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

/** Of the operator that writes these log lines: its first one names the port. */
export function operatorMetrics(lines: readonly string[]): OperatorMetrics {
  return {
    async sum(name, labels = {}) {
      const start = lines.find((line) => line.includes('"msg":"Landlord starts"'));
      if (start === undefined) throw new Error('the operator has not started');
      const { port } = JSON.parse(start) as { port: number };
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
      return text
        .split('\n')
        .filter((line) => /^[^{ ]+/.exec(line)?.[0] === name)
        .filter((line) => wanted.every((label) => line.includes(label)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
  };
}
