import { until } from '../until.ts';

type MetricLabels = Readonly<Record<string, string>>;

/** What an operator of the tests serves, wherever it listens. */
export interface OperatorEndpoints {
  /** Status and text of /readyz. */
  readonly readyz: () => Promise<{ readonly status: number; readonly text: string }>;
  /** The sum of all samples of a metric that bear these labels; undefined where there is none. */
  readonly metric: (name: string, labels?: MetricLabels) => Promise<number | undefined>;
  /** The same; 0 where there is none. */
  readonly sum: (name: string, labels?: MetricLabels) => Promise<number>;
}

/** `log` returns all that the operator has logged so far, as JSON: its first line names the port, and is waited for. */
export function endpointsOf(log: () => string): OperatorEndpoints {
  const startLine = (): string | undefined =>
    log()
      .split('\n')
      .find((line) => line.includes('"msg":"Landlord starts"'));
  const get = async (path: string): Promise<Response> => {
    await until('the operator has started', () => startLine() !== undefined);
    const { port } = JSON.parse(startLine() ?? '') as { port: number };
    return fetch(`http://127.0.0.1:${port}${path}`);
  };
  const metric: OperatorEndpoints['metric'] = async (name, labels = {}) => {
    const text = await (await get('/metrics')).text();
    const values = text.split('\n').flatMap((line) => {
      const [, found, bears = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const matches = Object.entries(labels).every(([key, wanted]) => bears.includes(`${key}="${wanted}"`));
      return found === name && matches ? [Number(value)] : [];
    });
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
  };
  return {
    async readyz() {
      const response = await get('/readyz');
      return { status: response.status, text: await response.text() };
    },
    metric,
    sum: async (name, labels) => (await metric(name, labels)) ?? 0,
  };
}
