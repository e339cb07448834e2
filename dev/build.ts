/** `npm run build`: bundles src/ into dist/, which runs without node_modules. */
import { chmod, rm } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Metafile, Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Where `npm run build` writes. */
export const distFolder = join(root, 'dist');

/**
 * Bundles the operator into `outdir`, emptied before. main.js can be executed; each provider is a chunk that only loads
 * with it. Returns esbuild's account of what came in from where.
 */
export async function buildOperator(outdir: string): Promise<Metafile> {
  await rm(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.19',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    // What is not parsed at the start costs no memory. Names stay, because stacks bear them; to shorten them and keep
    // them as strings (keepNames) would name each closure anew whenever it is made.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'linked',
    // CommonJS dependencies use what ES modules don't have.
    banner: {
      js:
        "import{createRequire as __landlordRequire}from'node:module';" +
        'const require=__landlordRequire(import.meta.url),__dirname=import.meta.dirname,__filename=import.meta.filename;',
    },
    plugins: [
      builtinsAsTheyAre,
      withoutUnusedModels,
      withoutImageBuilds,
      withoutSshClient,
      withoutTranslations,
    ],
    metafile: true,
    logLevel: 'warning',
  });
  await chmod(join(outdir, 'main.js'), 0o755);
  return metafile;
}

/**
 * Node's modules by `require`: to import one reads each of its members, and some of these load what nobody uses: of
 * `node:http` comes a whole client, for its WebSocket, with 12 MB and 30 ms of CPU.
 */
const builtinsAsTheyAre: Plugin = {
  name: 'builtins-as-they-are',
  setup(build) {
    const namespace = 'builtin';
    build.onResolve({ filter: /^[a-z]/ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

/**
 * Of client-node, KubeConfig alone is used, and of its generated client, which has 700 models (a third of the
 * operator's memory), nothing. Both are left out by name: asking of each import whether it has side effects takes
 * esbuild six times as long as the rest of the build.
 */
const withoutUnusedModels: Plugin = {
  name: 'without-unused-models',
  setup(build) {
    build.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: join(root, 'node_modules/@kubernetes/client-node/dist/config.js'),
    }));
    build.onLoad({ filter: /client-node\/dist\/gen\/index\.js$/ }, () => ({
      contents:
        "const unused = () => { throw new Error('the generated client is not used here'); };" +
        'export { unused as createConfiguration, unused as ServerConfiguration };',
    }));
  },
};

/**
 * dockerode's way to build images, which Landlord never does: BuildKit's gRPC and protobuf, loaded at once, with .proto
 * files that a bundle hasn't got, and tar archives of what goes into an image.
 */
const withoutImageBuilds: Plugin = {
  name: 'without-image-builds',
  setup(build) {
    build.onLoad({ filter: /(dockerode\/lib\/(session|buildkit)|tar-fs\/index)\.js$/ }, () => ({
      contents: "module.exports = () => { throw new Error('images are not built here'); };",
    }));
  },
};

/** docker-modem's ssh in JavaScript (ssh2): Landlord starts the ssh command instead, see engine/ssh/. */
const withoutSshClient: Plugin = {
  name: 'without-ssh-client',
  setup(build) {
    build.onLoad({ filter: /docker-modem\/lib\/ssh\.js$/ }, () => ({
      contents: "module.exports = () => { throw new Error('the ssh command is used here'); };",
    }));
  },
};

/** zod's messages in 50 languages, of which English is what everybody gets. */
const withoutTranslations: Plugin = {
  name: 'without-translations',
  setup(build) {
    build.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

if (import.meta.main) {
  const { outputs } = await buildOperator(distFolder);
  for (const [path, { bytes }] of Object.entries(outputs))
    console.log(`${path}  ${Math.ceil(bytes / 1024)} kB`);
}
