/** `npm run build`: bundles src/ into dist/, which runs without node_modules. */
import { chmod, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

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
    // What is not parsed at the start costs no memory; names stay, because logs and errors bear them.
    minify: true,
    keepNames: true,
    legalComments: 'linked',
    // ssh2's crypto in C++: optional, it does the same in JavaScript where they are missing.
    external: ['cpu-features', '*.node'],
    // CommonJS dependencies use what ES modules don't have.
    banner: {
      js:
        "import{createRequire as __landlordRequire}from'node:module';" +
        'const require=__landlordRequire(import.meta.url),__dirname=import.meta.dirname,__filename=import.meta.filename;',
    },
    plugins: [withoutUnusedModels, withoutImageBuilds, withoutTranslations],
    metafile: true,
    logLevel: 'warning',
  });
  await chmod(join(outdir, 'main.js'), 0o755);
  return metafile;
}

const clientNode = `${sep}@kubernetes${sep}client-node${sep}`;

/**
 * Only KubeConfig is used of client-node. Its package.json doesn't say that its modules have no side effects, so that
 * its 700 generated models would stay (a third of the operator's memory).
 */
const withoutUnusedModels: Plugin = {
  name: 'without-unused-models',
  setup(build) {
    build.onResolve({ filter: /^(@kubernetes\/client-node$|\.)/ }, async ({ path, ...options }) => {
      if (options.pluginData === clientNode) return undefined;
      if (path.startsWith('.') && !options.importer.includes(clientNode)) return undefined;
      const resolved = await build.resolve(path, { ...options, pluginData: clientNode });
      return { ...resolved, sideEffects: false };
    });
  },
};

/**
 * dockerode's way to build images by BuildKit, which Landlord never does: gRPC and protobuf, loaded at once, and .proto
 * files that a bundle hasn't got.
 */
const withoutImageBuilds: Plugin = {
  name: 'without-image-builds',
  setup(build) {
    build.onLoad({ filter: /dockerode\/lib\/(session|buildkit)\.js$/ }, () => ({
      contents: "module.exports = () => { throw new Error('images are not built here'); };",
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
