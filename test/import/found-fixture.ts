import { anySpec } from '../convert/compose-fixture.ts';
import type { EngineLook } from '../../src/import/docker/read-engine.ts';
import { readEngine } from '../../src/import/docker/read-engine.ts';
import { importDocker } from '../../src/import/docker/import-docker.ts';
import type { Dict } from '../../src/convert/read/scalars.ts';
import type { TenantSpecSchema } from '../../src/api/tenant.ts';

/** What an engine holds, in its own words: only what differs from what it shows of a container that names nothing. */
export interface Held {
  readonly name: string;
  readonly config?: Dict;
  readonly host?: Dict;
  readonly image?: Dict;
  readonly mounts?: readonly Dict[];
  readonly networks?: Dict;
  readonly running?: boolean;
}

const digest = (text: string): string => Buffer.from(text).toString('hex').padEnd(64, '0');

export const imageId = `sha256:${digest('image')}`;

/** Of Docker Engine 28, by `docker run IMAGE`. */
function shown({ name, config, host, mounts = [], networks = {}, running = true }: Held): Dict {
  return {
    Id: digest(name),
    Name: `/${name}`,
    Image: imageId,
    State: { Running: running },
    Config: {
      Hostname: digest(name).slice(0, 12),
      Domainname: '',
      User: '',
      AttachStdout: true,
      Tty: false,
      Env: ['PATH=/bin'],
      Cmd: ['serve'],
      Image: 'app:1',
      Volumes: null,
      WorkingDir: '/',
      Entrypoint: ['/app'],
      Labels: {},
      ...config,
    },
    HostConfig: {
      Binds: null,
      ContainerIDFile: '',
      LogConfig: { Type: 'json-file', Config: {} },
      NetworkMode: 'bridge',
      PortBindings: {},
      RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
      AutoRemove: false,
      ConsoleSize: [0, 0],
      CapAdd: null,
      CgroupnsMode: 'private',
      IpcMode: 'private',
      OomScoreAdj: 0,
      PidMode: '',
      ShmSize: 67_108_864,
      Runtime: 'runc',
      MemorySwappiness: null,
      PidsLimit: null,
      Ulimits: [],
      MaskedPaths: ['/proc/acpi'],
      ReadonlyPaths: ['/proc/bus'],
      ...host,
    },
    Mounts: mounts,
    NetworkSettings: { Networks: { bridge: {}, ...networks } },
  };
}

const ofImage: Dict = {
  Id: imageId,
  RepoTags: ['app:1'],
  RepoDigests: [`app@${imageId}`],
  Config: { Env: ['PATH=/bin'], Cmd: ['serve'], WorkingDir: '/', Entrypoint: ['/app'] },
};

export interface Around {
  /** By name. */
  readonly networks?: Readonly<Record<string, Dict>>;
  readonly volumes?: Readonly<Record<string, Dict>>;
  /** What `app:1` means by now. */
  readonly meant?: string | undefined;
}

export function engineWith(
  held: readonly Held[],
  { networks = {}, volumes = {}, meant }: Around,
): EngineLook {
  const all = held.map(shown);
  const find = async (idOrName: string) =>
    all.find(({ Id, Name }) => Id === idOrName || Name === `/${idOrName}`) as never;
  return {
    address: 'unix:///engine.sock',
    inspectContainer: find,
    listContainers: async (labels) =>
      all.filter(({ Config }) => {
        const { Labels } = Config as { readonly Labels: Dict };
        return labels.every((label) => Object.entries(Labels).some((pair) => pair.join('=') === label));
      }) as never,
    inspectImage: async (name) => {
      const own = held.find((one) => one.image !== undefined)?.image;
      const image = { ...ofImage, ...own };
      return (name === imageId || meant === undefined ? image : { ...image, Id: meant }) as never;
    },
    inspectNetwork: async (name) => networks[name] as never,
    inspectVolume: async (name) => volumes[name] as never,
  };
}

/** What is said of containers, taken by `by`; of all that are held where none is named. */
export async function imported(
  held: readonly Held[],
  around: Around = {},
  by: TenantSpecSchema = anySpec,
): Promise<{
  readonly spec: Dict & { readonly containers: readonly Dict[] };
  readonly notes: readonly string[];
}> {
  const wanted = { names: held.map(({ name }) => name), project: undefined };
  const found = await readEngine(engineWith(held, around), wanted, new AbortController().signal);
  const { manifests, notes } = importDocker('acme', found, by);
  const tenant = manifests.at(-1) as { readonly spec: never } | undefined;
  return {
    spec: tenant?.spec as never,
    notes: notes
      .filter(({ from }) => from !== 'services')
      .map(({ kind, from, text }) => `${kind} ${from}: ${text}`),
  };
}
