import { SecretValue } from '../../../../spec/secret-value.ts';
import type { FileSpec } from '../../../../spec/tenant-compute-spec.ts';
import { folderTar, tar } from '../../engine/archive/tar.ts';
import type { FilesMount } from '../../state/volumes/container-mounts.ts';
import type { Attempt, ConvergeDeps } from '../converge-deps.ts';
import type { CreateBody } from '../create-body.ts';
import { consented } from '../end-containers.ts';
import { ensureFilesVolumes } from '../tenant-volumes.ts';
import type { ImagedContainer } from '../tenant-volumes.ts';

/** Where a volume is while it is filled. */
const fillPath = '/landlord-files';

/**
 * Fills the volumes of files that a container is to have, before there is one: so it can mount them to be read alone, with a
 * root filesystem that nobody writes to, and never starts without them. An engine takes files by a container alone, which
 * need not run: one of the same name is made for that, and goes again. It bears no spec hash, so that what is left of it
 * where the operator dies is taken for a container that never ran. Which it is.
 */
export async function fillVolumes(
  deps: ConvergeDeps,
  { attempt, container }: { readonly attempt: Attempt; readonly container: ImagedContainer },
  signal: AbortSignal,
): Promise<void> {
  const { engine, settings, throttle } = deps;
  const filling = fillingOf(container);
  if (filling.files.length + filling.folders.length === 0) return;
  await ensureFilesVolumes(deps, { desired: attempt.desired, container }, signal);
  const { key } = settings.ownership;
  const labels = { ...attempt.desired.marks, [key('container')]: container.desired.spec.name };
  const body = fillerBody(container, filling, labels);
  const made = await throttle(() => engine.createContainer(container.name, body, signal));
  // Whoever has the name is met again when the container itself is made.
  if (made === 'name-taken') return;
  for (const { at, files } of filling.files)
    await engine.putFiles(made.id, at, tar(files.map(archived)), signal);
  for (const { at, subPath } of filling.folders) {
    // One that is there keeps its owner and mode.
    if (await engine.hasPath(made.id, `${at}/${subPath}`, signal)) continue;
    await engine.putFiles(made.id, at, folderTar(subPath, folderMode), signal);
  }
  await engine.removeContainer(made.id, consented(attempt, 'live', 'removing'), signal);
}

/** Every user may write to it: whose it will be, its image knows alone. */
const folderMode = 0o777;

/** What is put into volumes, and where each is meanwhile. */
interface Filling {
  readonly files: readonly (FilesMount & At)[];
  /** Folders of persistent volumes that are mounted without the rest, and must be there for that. */
  readonly folders: readonly (At & { readonly source: string; readonly subPath: string })[];
}

interface At {
  readonly at: string;
}

function fillingOf({ desired }: ImagedContainer): Filling {
  const files = [...new Map(desired.files.map((mount) => [mount.source, mount])).values()];
  const folders = desired.volumes.flatMap(({ source, subPath }) =>
    subPath === undefined ? [] : [{ source, subPath }],
  );
  return {
    files: files.map((mount, index) => ({ ...mount, at: `${fillPath}/${index}` })),
    folders: folders.map((folder, index) => ({ ...folder, at: `${fillPath}/${files.length + index}` })),
  };
}

/** It never runs. A volume that its image declares would be made for it, were there not one mounted already. */
function fillerBody(
  { image }: ImagedContainer,
  { files, folders }: Filling,
  labels: Readonly<Record<string, string>>,
): CreateBody {
  const all = [...files, ...folders];
  const declared = image.volumes.map((path) => `${all[0]?.source}:${path}:nocopy`);
  return {
    Image: image.id,
    Cmd: ['none'],
    Labels: { ...labels },
    HostConfig: {
      NetworkMode: 'none',
      Binds: [...all.map(({ source, at }) => `${source}:${at}:nocopy`), ...declared],
    },
  };
}

function archived({ path, mode, content }: FileSpec) {
  const text = content instanceof SecretValue ? content.reveal() : content;
  return { path, mode, content: Buffer.from(text, 'base64') };
}
