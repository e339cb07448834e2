import { constants } from 'node:fs';
import { access, copyFile, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedFolder, cacheKey } from './cache-folder.ts';
import { withProgress } from './progress.ts';
import { runCommand } from './run-command.ts';

/** The nested Go module that pins etcd and kube-apiserver. */
const moduleFolder = fileURLToPath(new URL('control-plane/', import.meta.url));

/**
 * The folder that holds `etcd` and `kube-apiserver`: `KUBEBUILDER_ASSETS` where it is set, else a cached build of the
 * versions pinned in dev/control-plane/go.mod. Rejects with what to install or to correct.
 */
export async function controlPlaneBinaries(): Promise<string> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets) {
    await assertHoldsBinaries(assets);
    return assets;
  }
  const goMod = await readFile(join(moduleFolder, 'go.mod'), 'utf8');
  const goSum = await readFile(join(moduleFolder, 'go.sum'));
  const goVersion = await assertGo(/^go (\S+)$/m.exec(goMod)?.[1] ?? '');
  const name = `control-plane-${cacheKey([goMod, goSum, goVersion])}`;
  return cachedFolder(name, (folder) => build(folder, goMod));
}

async function assertHoldsBinaries(folder: string): Promise<void> {
  for (const binary of ['etcd', 'kube-apiserver']) {
    await access(join(folder, binary), constants.X_OK).catch(() => {
      throw new Error(
        `KUBEBUILDER_ASSETS is ${folder}, which holds no program ${binary}: correct it, or unset it to have the control plane built`,
      );
    });
  }
}

/** The whole `go version` line, which names the system too; rejects where Go is missing or older than `wanted`. */
export async function assertGo(wanted: string): Promise<string> {
  const version = await runCommand('go', ['version'], { env: goEnvironment() }).catch((error: unknown) => {
    throw new Error(
      `Go ${wanted} or newer is needed to build the parts for the demo and the tests: install it from https://go.dev/dl/ and put it on the PATH`,
      { cause: error },
    );
  });
  const found = /go(\d+)\.(\d+)/.exec(version);
  const [major = 0, minor = 0] = wanted.split('.').map(Number);
  const isNewEnough =
    found !== null && (Number(found[1]) > major || (Number(found[1]) === major && Number(found[2]) >= minor));
  if (isNewEnough) return version.trim();
  throw new Error(
    `Go ${wanted} or newer is needed, found: ${version.trim()}. Install it from https://go.dev/dl/`,
  );
}

/** Settings of the developer's own (GOFLAGS=-mod=vendor, a go.work, a foreign GOOS) must not change what is built. */
export function goEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { GOOS: _os, GOARCH: _arch, ...inherited } = process.env;
  return { ...inherited, GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0', ...extra };
}

async function build(folder: string, goMod: string): Promise<void> {
  const version = /^\s*k8s\.io\/kubernetes v(\S+)$/m.exec(goMod)?.[1] ?? '';
  const etcdVersion = /^\s*go\.etcd\.io\/etcd\/server\/v3 v(\S+)$/m.exec(goMod)?.[1] ?? '';
  await goBuild({
    module: moduleFolder,
    target: 'go.etcd.io/etcd/server/v3',
    folder,
    title: `building etcd v${etcdVersion} (about 1 min the first time)`,
  });
  await rename(join(folder, 'server'), join(folder, 'etcd'));
  const [major = '', minor = ''] = version.split('.');
  const stamp = Object.entries({
    gitVersion: `v${version}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
  })
    .map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`)
    .join(' ');
  await goBuild({
    module: moduleFolder,
    target: 'k8s.io/kubernetes/cmd/kube-apiserver',
    folder,
    title: `building kube-apiserver v${version} (about 4 min the first time)`,
    linkerFlags: stamp,
  });
  await copyFile(join(moduleFolder, 'go.mod'), join(folder, 'go.mod'));
}

export interface GoBuild {
  /** The folder of the go.mod that pins what is built. */
  readonly module: string;
  /** The package of the program. */
  readonly target: string;
  /** Where the program goes, under the last part of its package's name. */
  readonly folder: string;
  /** What the developer reads meanwhile. */
  readonly title: string;
  readonly linkerFlags?: string;
}

/** With -v the compiler names each package on standard error, which is the only sign of progress it gives. */
export async function goBuild({ module, target, folder, title, linkerFlags = '' }: GoBuild): Promise<void> {
  const args = [
    'build',
    '-v',
    '-mod=readonly',
    '-trimpath',
    `-ldflags=-s -w ${linkerFlags}`,
    '-o',
    folder,
    target,
  ];
  await withProgress(title, async (note) => {
    let compiled = 0;
    let downloaded = 0;
    await runCommand('go', args, {
      cwd: module,
      env: goEnvironment(),
      onErrorLine: (line) => {
        if (line.startsWith('go: downloading')) downloaded += 1;
        else compiled += 1;
        note(compiled === 0 ? `${downloaded} modules downloaded` : `${compiled} packages compiled`);
      },
    });
  });
}
