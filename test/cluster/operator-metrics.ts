/** What an operator that logs where it listens serves there. */
export interface OperatorEndpoints {
  /** Status and text of /readyz. */
  readonly readyz: () => Promise<{ readonly status: number; readonly text: string }>;
  /** The sum of all samples of a metric that bear these labels; undefined where there is none. */
  readonly metric: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number | undefined>;
}

/** `log` returns all that the operator has logged so far, as JSON. Rejects while it has not said where it listens. */
export function endpointsOf(log: () => string): OperatorEndpoints {
  const get = async (path: string): Promise<Response> => {
    const line = log()
      .split('\n')
      .find((text) => text.includes('"Landlord starts"'));
    if (line === undefined) throw new Error('the operator has not said yet where it listens');
    const { port } = JSON.parse(line) as { port: number };
    return fetch(`http://127.0.0.1:${port}${path}`);
  };
  return {
    readyz: async () => {
      const response = await get('/readyz');
      return { status: response.status, text: await response.text() };
    },
    metric: async (name, labels = {}) => {
      const text = await (await get('/metrics')).text();
      const values = text.split('\n').flatMap((line) => {
        const [, metric, bears = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
        const matches = Object.entries(labels).every(([key, wanted]) => bears.includes(`${key}="${wanted}"`));
        return metric === name && matches ? [Number(value)] : [];
      });
      return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
    },
  };
}
