import { request } from 'node:http';

/** The little of the Docker Engine that the demo looks at and meddles with, on behalf of somebody with a shell. */

export interface EngineContainer {
  readonly id: string;
  /** Without the slash. */
  readonly name: string;
  readonly state: string;
  readonly image: string;
  /** URLs of the published TCP ports. */
  readonly urls: readonly string[];
}

export interface EngineApi {
  /** Containers of all states that bear the label `key=value`. */
  containers(label: string): Promise<EngineContainer[]>;
  /** When the container last started, in milliseconds since the epoch, and whether it runs; undefined: not there. */
  inspect(name: string): Promise<{ id: string; running: boolean; startedMs: number } | undefined>;
  kill(name: string): Promise<void>;
  /** Creates and starts one from an image that the engine has. */
  run(name: string, image: string): Promise<void>;
  /** By force. */
  remove(name: string): Promise<void>;
  /** Names of networks and volumes that bear the label. */
  networks(label: string): Promise<string[]>;
  volumes(label: string): Promise<string[]>;
  removeNetwork(name: string): Promise<void>;
  removeVolume(name: string): Promise<void>;
}

interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Image: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Ports?: readonly { readonly IP?: string; readonly PublicPort?: number; readonly Type: string }[];
}

const timeoutMs = 30_000;

/** `host` as in DOCKER_HOST: a unix socket or plain TCP. Throws where it is neither. */
export function engineApi(host: string): EngineApi {
  const url = new URL(host);
  if (url.protocol !== 'unix:' && url.protocol !== 'tcp:') {
    throw new Error(`the demo can't use the Docker Engine at ${host}: it takes unix:// and tcp:// alone`);
  }
  const where =
    url.protocol === 'unix:'
      ? { socketPath: url.pathname }
      : { host: url.hostname, port: Number(url.port || '2375') };
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> =>
    send({ ...where, method, path }, body);
  const must = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await call(method, path, body);
    if (answer.status < 300 || answer.status === 304) return answer.body;
    throw new Error(`the Docker Engine answered ${method} ${path} with HTTP ${answer.status}`);
  };
  const gone = async (path: string): Promise<void> => {
    const answer = await call('DELETE', path);
    if (answer.status < 300 || answer.status === 404 || answer.status === 409) return;
    throw new Error(`the Docker Engine answered DELETE ${path} with HTTP ${answer.status}`);
  };
  return {
    containers: async (label) => {
      const found = await must('GET', `/containers/json?all=1&${labelled(label)}`);
      return (found as ListedContainer[]).map(containerOf);
    },
    inspect: async (name) => {
      const { status, body } = await call('GET', `/containers/${name}/json`);
      if (status === 404) return undefined;
      const { Id, State } = body as { Id: string; State: { Running: boolean; StartedAt: string } };
      return { id: Id, running: State.Running, startedMs: Date.parse(State.StartedAt) };
    },
    kill: async (name) => void (await must('POST', `/containers/${name}/kill`)),
    run: async (name, image) => {
      await must('POST', `/containers/create?name=${name}`, { Image: image });
      await must('POST', `/containers/${name}/start`);
    },
    remove: (name) => gone(`/containers/${name}?force=1&v=1`),
    networks: async (label) => {
      const found = (await must('GET', `/networks?${labelled(label)}`)) as { Name: string }[];
      return found.map(({ Name }) => Name);
    },
    volumes: async (label) => {
      const found = (await must('GET', `/volumes?${labelled(label)}`)) as {
        Volumes: { Name: string }[] | null;
      };
      return (found.Volumes ?? []).map(({ Name }) => Name);
    },
    removeNetwork: (name) => gone(`/networks/${name}`),
    removeVolume: (name) => gone(`/volumes/${name}`),
  };
}

function labelled(label: string): string {
  return `filters=${encodeURIComponent(JSON.stringify({ label: [label] }))}`;
}

function containerOf({ Id, Names, State, Image, Labels = {}, Ports = [] }: ListedContainer): EngineContainer {
  const urls = Ports.flatMap(({ IP = '', PublicPort, Type }) =>
    PublicPort === undefined || Type !== 'tcp'
      ? []
      : [`http://${IP.includes(':') ? `[${IP}]` : IP}:${PublicPort}`],
  );
  return {
    id: Id,
    name: (Names[0] ?? '').replace(/^\//, ''),
    state: State,
    image: Labels['landlord.image'] ?? Image,
    urls,
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Where = { socketPath: string } | { host: string; port: number };

async function send(options: Where & { method: string; path: string }, body: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({
      ...options,
      agent: false,
      timeout: timeoutMs,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
    });
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const isJson = response.headers['content-type']?.startsWith('application/json') === true;
        resolve({ status: response.statusCode ?? 0, body: isJson && text !== '' ? JSON.parse(text) : text });
      });
      response.on('error', reject);
    });
    call.on('timeout', () =>
      call.destroy(new Error(`the Docker Engine is silent for ${timeoutMs / 1000} s`)),
    );
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
