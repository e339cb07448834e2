import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubeManifest } from './kube-objects.ts';

/** The repository's deploy/samples. */
const SAMPLES = fileURLToPath(new URL('../../deploy/samples/', import.meta.url));

/** The registry that the samples name; it stands for the reader's own. */
const PLACEHOLDER = 'registry.example/';

/** All manifests of deploy/samples, in the order of their files, with images from the registry at `address`. */
export async function readSamples(address: string): Promise<KubeManifest[]> {
  const files = (await readdir(SAMPLES)).filter((file) => file.endsWith('.yaml')).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(SAMPLES, file), 'utf8')));
  return texts.flatMap((text) => manifestsFrom(text, address));
}

export function manifestsFrom(text: string, address: string): KubeManifest[] {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as KubeManifest);
  return documents.map((manifest) => withRegistry(manifest, address) as KubeManifest);
}

function withRegistry(value: unknown, address: string): unknown {
  if (typeof value === 'string') {
    return value.startsWith(PLACEHOLDER) ? `${address}/${value.slice(PLACEHOLDER.length)}` : value;
  }
  if (Array.isArray(value)) return value.map((item) => withRegistry(item, address));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withRegistry(item, address)]));
}
