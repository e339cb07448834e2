import { defaultFileMode } from '../../api/container/volume-fields.ts';
import type { Volume } from '../../api/container/volume-fields.ts';
import { ComputeError } from '../../compute/errors.ts';
import { SecretValue } from '../../compute/spec/secret-value.ts';
import type { FileSpec, VolumeSpec } from '../../compute/spec/tenant-compute-spec.ts';
import type { EnvSources } from './resolve-env.ts';

/** What etcd takes of one object. Several items of one key must not make more of it. */
const mostBytes = 1_048_576;

/** The volumes with their files. Rejects as the readers do, and with ComputeError InvalidSpec. */
export async function resolveVolumes(
  volumes: readonly Volume[],
  sources: EnvSources,
): Promise<readonly VolumeSpec[]> {
  return Promise.all(volumes.map(async (volume) => resolveVolume(volume, sources)));
}

async function resolveVolume(
  { name, tmpfs, configMap, secret }: Volume,
  { secrets, configMaps }: EnvSources,
): Promise<VolumeSpec> {
  if (tmpfs !== undefined) return { name, kind: 'tmpfs', size: tmpfs.size };
  if (configMap !== undefined) {
    const from = `ConfigMap ${configMap.name}`;
    const found = await configMaps.files(configMap.name);
    return { name, kind: 'files', from, files: filesOf({ name, from, found }, configMap) };
  }
  if (secret !== undefined) {
    const from = `Secret ${secret.secretName}`;
    const found = await secrets?.files(secret.secretName);
    const files = found === undefined ? [] : filesOf({ name, from, found }, secret);
    return { name, kind: 'files', from, files };
  }
  return { name, kind: 'persistent' };
}

interface Found {
  /** Of the volume. */
  readonly name: string;
  readonly from: string;
  readonly found: ReadonlyMap<string, FileSpec['content']>;
}

type Chosen = Pick<NonNullable<Volume['configMap']>, 'items' | 'defaultMode'>;

function filesOf({ name, from, found }: Found, { items, defaultMode = defaultFileMode }: Chosen): FileSpec[] {
  const refuse = (what: string): never => {
    throw new ComputeError('InvalidSpec', `spec.volumes: ${name}: ${what}`);
  };
  const chosen: Chosen['items'] = items ?? [...found.keys()].map((key) => ({ key, path: key }));
  const files = (chosen ?? []).map(({ key, path, mode = defaultMode }) => ({
    path,
    mode,
    content: found.get(key) ?? refuse(`${from} has no key ${key}; add it`),
  }));
  // Kubernetes takes these as keys, and no volume as files.
  const odd = files.find(({ path }) => path === '.' || path === '..');
  if (odd !== undefined) refuse(`${from}: ${odd.path} can't be the name of a file; choose one by items`);
  const paths = new Set(files.map(({ path }) => path));
  const under = files.find(({ path }) => foldersOf(path).some((folder) => paths.has(folder)));
  if (under !== undefined) refuse(`${under.path} is below a path that is a file itself`);
  const bytes = files.reduce((sum, { content }) => sum + bytesIn(content), 0);
  if (bytes > mostBytes) refuse(`its files have ${bytes} bytes together, must have at most ${mostBytes}`);
  return files;
}

function foldersOf(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}

function bytesIn(content: FileSpec['content']): number {
  return Buffer.byteLength(content instanceof SecretValue ? content.reveal() : content, 'base64');
}
