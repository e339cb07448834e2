import { createServer, request } from 'node:http';

/** What the proxy does with a request; undefined: it passes it on. */
export type Answer = 'hang' | { readonly status: number; readonly message: string };

export interface EngineProxy {
  /** As in DOCKER_HOST. */
  readonly host: string;
  /** `METHOD PATH` of every request so far, without version, ids and query; `splice(0)` forgets them. */
  readonly calls: string[];
  /** Asked at each request, until the next call. Returns how many requests the rule before has answered. */
  answerBy(rule: ((method: string, url: string) => Answer | undefined) | undefined): number;
  close(): Promise<void>;
}

/** Stands before an engine on a socket of its own, and answers in its place as it is told. */
export async function startEngineProxy(engineSocket: string, path: string): Promise<EngineProxy> {
  let ruleOf: ((method: string, url: string) => Answer | undefined) | undefined;
  const calls: string[] = [];
  let answered = 0;
  const server = createServer((incoming, answer) => {
    const { method = 'GET', url = '/', headers } = incoming;
    calls.push(`${method} ${kindOf(url)}`);
    const told = ruleOf?.(method, url);
    answer.on('error', () => undefined);
    incoming.on('error', () => undefined);
    if (told !== undefined) answered += 1;
    if (told === 'hang') return;
    if (told !== undefined) {
      answer.writeHead(told.status, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ message: told.message }));
      return;
    }
    const onward = request({ socketPath: engineSocket, method, path: url, headers }, (response) => {
      response.on('error', () => answer.destroy());
      answer.writeHead(response.statusCode ?? 502, response.headers);
      // A stream of events says nothing at first.
      answer.flushHeaders();
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  server.on('clientError', () => undefined);
  await new Promise<void>((resolve) => server.listen({ path }, resolve));
  return {
    host: `unix://${path}`,
    calls,
    answerBy: (rule) => {
      ruleOf = rule;
      const before = answered;
      answered = 0;
      return before;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** /v1.41/containers/3f2a/json?size=1 -> /containers/…/json */
function kindOf(url: string): string {
  const path = url.replace(/^\/v[\d.]+/, '').replace(/\?.*$/, '');
  return path.replace(
    /^\/(containers|networks|volumes|images|exec)\/(?!json$|create$|prune$)(.+?)(\/\w+)?$/,
    '/$1/…$3',
  );
}
