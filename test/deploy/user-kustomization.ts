import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { kustomize } from '../../dev/kustomize.ts';
import { deployFolder, documentsOf } from './manifests.ts';
import type { Manifest } from './manifests.ts';

/** A user's own files, by their paths beside deploy/: `my/kustomization.yaml`. What isn't text is written as JSON, which is YAML. */
export type UserFiles = Readonly<Record<string, string | object>>;

/** What `kubectl apply -k my` would send, in its order. Rejects with what kustomize has against it. */
export async function rendered(files: UserFiles): Promise<Manifest[]> {
  return documentsOf(await renderedText(files));
}

export async function renderedText(files: UserFiles): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-kustomize-'));
  try {
    for (const name of ['deploy', 'crds']) await symlink(join(deployFolder, '..', name), join(folder, name));
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
    }
    return await kustomize(join(folder, 'my'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One kustomization over folders of deploy/, which are named as below it: `overlays/docker`. */
export function over(
  resource: string,
  components: readonly string[] = [],
  more: Readonly<Record<string, unknown>> = {},
): UserFiles {
  const kustomization = {
    resources: [`../deploy/${resource}`],
    components: components.map((component) => `../deploy/${component}`),
    ...more,
  };
  return { 'my/kustomization.yaml': kustomization };
}
