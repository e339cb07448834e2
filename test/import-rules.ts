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
  main: ['api', 'async', 'kube', 'observability', 'compute', 'registry', 'config', 'operator'],
};

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
  const graph = new Map(imports.map(({ file, targets }) => [file, targets]));
  return [...broken, ...readers, ...cycles(graph)];
}

function forbidden(file: string, target: string): string[] {
  if (target === '?') return [`${file} imports what only a run can tell`];
  if (!target.startsWith('src/')) return forbiddenOutside(file, target);
  const from = layerOf(file);
  const to = layerOf(target);
  const ownFolder = dirname(file) === dirname(target) || target.startsWith(`${folderOf(file)}/`);
  const sameLayer = from === to && from !== 'provider' && from !== 'definition';
  if (sameLayer || (ownFolder && sameFolderLayers.has(from) && sameFolderLayers.has(to))) return [];
  const allowed = mayImport[from === 'definition' ? 'provider' : from];
  if (allowed === undefined) return [`${file} belongs to no layer that the table knows`];
  return allowed.includes(to) ? [] : [`${file} (${from}) imports ${target} (${to})`];
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
