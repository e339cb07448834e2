import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kustomize } from '../kustomize.ts';

/** What `kubectl apply -k deploy` sends. */
export const deployFolder = fileURLToPath(new URL('../../deploy/', import.meta.url));

/**
 * What `kubectl apply -k` of a folder below deploy/ would send, as YAML, with the operator's image from the repository
 * `image`: `registry.example/landlord`. Without one the image is as the manifests have it.
 */
export async function installManifest(image?: string, folder = deployFolder): Promise<string> {
  if (image === undefined) return kustomize(folder);
  const here = await mkdtemp(join(tmpdir(), 'landlord-release-'));
  try {
    const kustomization = {
      resources: [relative(here, folder)],
      images: [{ name: 'landlord', newName: image }],
    };
    await writeFile(join(here, 'kustomization.yaml'), JSON.stringify(kustomization));
    return await kustomize(here);
  } finally {
    await rm(here, { recursive: true, force: true });
  }
}
