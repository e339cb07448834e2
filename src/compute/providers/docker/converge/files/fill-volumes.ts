import { SecretValue } from '../../../../spec/secret-value.ts';
import type { FileSpec } from '../../../../spec/tenant-compute-spec.ts';
import { tar } from '../../engine/archive/tar.ts';
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
  const { files, spec } = container.desired;
  if (files.length === 0) return;
  await ensureFilesVolumes(deps, { desired: attempt.desired, container }, signal);
  const { key } = settings.ownership;
  const labels = { ...attempt.desired.marks, [key('container')]: spec.name };
  const body = fillerBody(container, labels);
  const made = await throttle(() => engine.createContainer(container.name, body, signal));
  // Whoever has the name is met again when the container itself is made.
  if (made === 'name-taken') return;
  const archives = files.map((mount) => tar(mount.files.map(archived)));
  for (const [index, archive] of archives.entries()) {
    await engine.putFiles(made.id, `${fillPath}/${index}`, archive, signal);
  }
  await engine.removeContainer(made.id, consented(attempt, 'live', 'removing'), signal);
}

/** It never runs. A volume that its image declares would be made for it, were there not one mounted already. */
function fillerBody(
  { desired, image }: ImagedContainer,
  labels: Readonly<Record<string, string>>,
): CreateBody {
  const [first] = desired.files;
  const declared = image.volumes.map((path) => `${first?.source}:${path}:nocopy`);
  return {
    Image: image.id,
    Cmd: ['none'],
    Labels: { ...labels },
    HostConfig: {
      NetworkMode: 'none',
      Binds: [...desired.files.map(atFillPath), ...declared],
    },
  };
}

function atFillPath({ source }: FilesMount, index: number): string {
  return `${source}:${fillPath}/${index}:nocopy`;
}

function archived({ path, mode, content }: FileSpec) {
  const text = content instanceof SecretValue ? content.reveal() : content;
  return { path, mode, content: Buffer.from(text, 'base64') };
}
