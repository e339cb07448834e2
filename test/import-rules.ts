import { dirname, join } from 'node:path/posix';

/** The import table of the architecture as a pure check over source texts. */

/** Path below the checkout, such as `src/api/names.ts`, → source text. */
export type Sources = Readonly<Record<string, string>>;

/** Who may import whom inside of src. Of a folder in `providers/`, only itself is meant. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  async: [],
  api: [],
  kube: ['async'],
  observability: [],
  compute: ['api', 'async'],
  provider: ['api', 'async', 'compute'],
  registry: ['api', 'compute', 'definition'],
  config: ['api', 'compute'],
  // What others run, in a Tenant's words: it knows its schema, and neither a cluster nor an engine.
  convert: ['api'],
  // The same of what an engine or ECS tells: it asks them by the calls of their providers.
  import: ['api', 'compute', 'provider', 'config', 'convert', 'observability'],
  controller: ['api', 'async', 'compute', 'kube'],
  operator: [
    'api',
    'async',
    'kube',
    'observability',
    'compute',
    'registry',
    'provider',
    'definition',
    'config',
    'controller',
  ],
  main: [
    'api',
    'async',
    'kube',
    'observability',
    'compute',
    'registry',
    'config',
    'convert',
    'import',
    'operator',
  ],
};

/** Floors of one layer: a room may import from itself and from the rooms named. A file beside the rooms is in `''`. */
interface Rooms {
  /** What stands before the room's name in a path. */
  readonly within: RegExp;
  readonly mayImport: Readonly<Record<string, readonly string[]>>;
}

const rooms: readonly Rooms[] = [
  {
    within: /^src\/kube\//,
    mayImport: { client: [], queue: [], cache: ['client'], events: ['client'], leader: ['client'] },
  },
  {
    // A provider's own files join all: provider.ts the rooms, definition.ts the blocks of config.ts.
    within: /^src\/compute\/providers\/[^/]+\//,
    mayImport: {
      '': ['address', 'state', 'engine', 'watch', 'converge'],
      // How the engine's things are called: words that all rooms share.
      address: [],
      state: ['config', 'address'],
      engine: ['config', 'address'],
      watch: ['config', 'address', 'state', 'engine'],
      converge: ['config', 'address', 'state', 'engine', 'watch'],
      config: ['address'],
    },
  },
  {
    within: /^src\/compute\/(?!providers\/)/,
    mayImport: {
      '': ['spec', 'observation', 'selection'],
      spec: ['errors'],
      observation: ['spec', 'errors'],
      selection: ['', 'spec', 'errors'],
      errors: [],
    },
  },
  {
    within: /^src\/controller\//,
    mayImport: {
      '': ['steps', 'status', 'sources', 'images', 'owned', 'followed', 'rollout', 'wanted', 'observe'],
      steps: ['', 'status', 'sources', 'owned', 'rollout'],
      // What a Tenant asks for, be it to be made so or only compared.
      wanted: ['', 'steps', 'sources', 'images', 'owned'],
      // What is read for that is read as ever, or is known to be as it was.
      observe: ['', 'steps', 'status', 'sources', 'images', 'wanted'],
      status: [''],
      // Who may begin with what many are to be.
      rollout: [''],
      sources: [''],
      // What tags mean.
      images: [''],
      // What is known of the cluster, whoever works on it.
      followed: ['', 'sources'],
      // What is owned on the engines, whoever asks.
      owned: [],
    },
  },
];

/** Files beside the rooms of their layer that are rooms of their own, because everything may know them. */
const ownRooms: readonly RegExp[] = [
  /^src\/compute\/providers\/[^/]+\/(config)(?:\.ts$|\/)/,
  /^src\/compute\/(errors)\.ts$/,
];

/** What the text of some rooms may not say, and why. */
const unsaid: readonly (readonly [files: RegExp, text: RegExp, why: string])[] = [
  [/^src\/kube\//, /landlord|\btenants?\b/i, 'kube/ is a controller runtime: it knows no Tenant'],
  [/^src\/compute\/providers\/[^/]+\/state\//, /\bAbortSignal\b/, 'state/ is pure: nothing in it waits'],
  [
    /^src\/compute\/providers\/[^/]+\/state\//,
    /\bfrom '(node:(?!crypto|path)|dockerode|@aws-sdk|pino)/,
    'state/ is pure: it knows neither an SDK nor the world',
  ],
  [
    /^src\/compute\/providers\/[^/]+\/engine\//,
    /\b(tenantId|TenantRef|TenantPlace|TenantComputeSpec|Desired\w*)\b/,
    'engine/ knows no tenant',
  ],
  [
    /^src\/compute\/providers\/[^/]+\/(state|watch)\//,
    /\.(create|start|stop|remove|rename|update|unpause|delete|register|deregister|tag|untag)[A-Z]\w*\(/,
    'only converge/ changes anything outside',
  ],
  [
    /^src\/controller\/observe\//,
    /\b(provision|update|hold|destroy|writer|permit\w*)\b/i,
    'observe/ changes nothing',
  ],
  [
    /^src\/(?!compute\/permit\.ts$|controller\/steps\/gate\.ts$)/,
    /\bpermitUpTo\b|\bas (Permit|Consent)\b/,
    'only the gate makes permits',
  ],
  [
    /^src\/compute\/providers\/[^/]+\/converge\//,
    /\.(stopContainer|removeContainer|removeNetwork|removeVolume|updateService|deleteService|deregisterTaskDefinition)\((?![^;]*\b(consent|consented\())/,
    'what stops or removes something takes consent',
  ],
];

/** Packages that only one place may know, besides the operator, which builds their clients. */
const confinedPackages: readonly [name: RegExp, folder: string][] = [
  [/^@(aws-sdk|smithy)\//, 'src/compute/providers/ecs/'],
  [/^dockerode$/, 'src/compute/providers/docker/'],
  [/^@kubernetes\/client-node$/, 'src/kube/'],
];

const environmentFolder = 'src/config/';

/** What breaks the table, one line each; empty where nothing does. */
export function violations(sources: Sources): string[] {
  const imports = Object.entries(sources).map(([file, text]) => ({ file, targets: importsOf(file, text) }));
  const broken = imports.flatMap(({ file, targets }) => targets.flatMap((target) => forbidden(file, target)));
  const readers = Object.entries(sources)
    .filter(([file, text]) => !file.startsWith(environmentFolder) && readsEnvironment(text))
    .map(([file]) => `${file} reads process.env, which only ${environmentFolder} may`);
  const said = Object.entries(sources).flatMap(([file, text]) => saysWhatItMayNot(file, text));
  const graph = new Map(imports.map(({ file, targets }) => [file, targets]));
  return [...broken, ...readers, ...said, ...cycles(graph)];
}

function forbidden(file: string, target: string): string[] {
  if (target === '?') return [`${file} imports what only a run can tell`];
  if (!target.startsWith('src/')) return forbiddenOutside(file, target);
  const from = layerOf(file);
  const to = layerOf(target);
  const ownFolder = dirname(file) === dirname(target) || target.startsWith(`${folderOf(file)}/`);
  if (from === to || from === 'definition' || to === 'definition') {
    const upward = forbiddenRoom(file, target);
    if (upward !== undefined) return [upward];
  }
  const sameLayer = from === to && from !== 'provider' && from !== 'definition';
  if (sameLayer || (ownFolder && sameFolderLayers.has(from) && sameFolderLayers.has(to))) return [];
  const allowed = mayImport[from === 'definition' ? 'provider' : from];
  if (allowed === undefined) return [`${file} belongs to no layer that the table knows`];
  return allowed.includes(to) ? [] : [`${file} (${from}) imports ${target} (${to})`];
}

/** Undefined: both are in one room, or the one may know the other. */
function forbiddenRoom(file: string, target: string): string | undefined {
  const floor = rooms.find(({ within }) => within.test(file));
  const base = floor?.within.exec(file)?.[0];
  if (floor === undefined || base === undefined || floor.within.exec(target)?.[0] !== base) return undefined;
  const [from, to] = [roomOf(file, base), roomOf(target, base)];
  const allowed = floor.mayImport[from];
  if (allowed === undefined) return `${file} is in a room that the table does not know`;
  const bothBeside = from === to || (ownRoom(target) !== undefined && from === '');
  return bothBeside || allowed.includes(to) ? undefined : `${file} (${from}/) imports ${target} (${to}/)`;
}

/** The folder below `base`; '' for a file that lies beside the rooms. */
function roomOf(file: string, base: string): string {
  const [first = '', ...rest] = file.slice(base.length).split('/');
  return ownRoom(file) ?? (rest.length === 0 ? '' : first);
}

function ownRoom(file: string): string | undefined {
  return ownRooms.map((pattern) => pattern.exec(file)?.[1]).find((name) => name !== undefined);
}

function saysWhatItMayNot(file: string, text: string): string[] {
  return unsaid
    .filter(([files, forbiddenText]) => files.test(file) && forbiddenText.test(withoutComments(text)))
    .map(([, , why]) => `${file}: ${why}`);
}

const sameFolderLayers = new Set(['provider', 'definition']);

function forbiddenOutside(file: string, target: string): string[] {
  if (/^(dev|test)\//.test(target)) return [`${file} imports ${target}, which is not part of the product`];
  if (target.startsWith('.')) return [`${file} imports ${target}, which is outside of src`];
  return confinedPackages
    .filter(([name, folder]) => name.test(target) && !file.startsWith(folder) && file !== 'src/operator.ts')
    .map(([, folder]) => `${file} imports ${target}, which only ${folder} may`);
}

/** `src/compute/providers/docker` for everything in there, else the folder right below src. */
function folderOf(file: string): string {
  return /^src\/compute\/providers\/[^/]+|^src\/[^/]+/.exec(file)?.[0] ?? '';
}

function layerOf(file: string): string {
  if (/^src\/compute\/providers\/[^/]+\/definition\.ts$/.test(file)) return 'definition';
  if (file.startsWith('src/compute/providers/')) return 'provider';
  if (file === 'src/compute/registry.ts') return 'registry';
  return /^src\/([^/.]+)/.exec(file)?.[1] ?? '';
}

/** Everything that a file imports or re-exports, types too: paths below the checkout, and names of packages. */
function importsOf(file: string, text: string): string[] {
  const code = withoutComments(text);
  const specifiers = [
    ...code.matchAll(/^(?:import|export)\b[^'"`;]*?\bfrom\s+['"]([^'"]+)['"]/gm),
    ...code.matchAll(/^import\s+['"]([^'"]+)['"]/gm),
    ...code.matchAll(/\bimport\(\s*(?:['"]([^'"]+)['"]|[^)])/g),
  ].map(([, specifier = '?']) => specifier);
  return specifiers.map((specifier) =>
    specifier.startsWith('.') ? join(dirname(file), specifier) : specifier,
  );
}

function readsEnvironment(text: string): boolean {
  return /\bprocess\s*(\??\.\s*env\b|\[\s*['"]env['"])|\benv\b[^;]*\bfrom 'node:process'|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(
    withoutComments(text),
  );
}

/** Comments that begin a line, which is where this project has them. */
function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

/** Each circle of imports once, as the path around it. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) {
      found.push(`a cycle: ${[...path.slice(start), file].join(' → ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) walk(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}
