import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubeManifest } from './kube-objects.ts';

/** The repository's deploy/samples. */
const samplesFolder = fileURLToPath(new URL('../../deploy/samples/', import.meta.url));

/** The registry that the samples name; it stands for the reader's own. */
const placeholder = 'registry.example/';

/** Its proxy's image comes from a public registry, which the demo asks nothing of. */
const leftOut = 'docker-edge.yaml';

/** What stands on the stage for what the samples name. */
export interface StandIns {
  readonly registryAddress: string;
  /** The operator's compute.ecs: whatever it has wins over a sample's block. */
  readonly ecs: Readonly<Record<string, unknown>>;
}

/** All manifests of deploy/samples that run on the stage, in the order of their files. */
export async function readSamples(standIns: StandIns): Promise<KubeManifest[]> {
  const files = (await readdir(samplesFolder))
    .filter((file) => file.endsWith('.yaml') && file !== leftOut)
    .toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(samplesFolder, file), 'utf8')));
  return texts.flatMap((text) => manifestsFrom(text, standIns));
}

export function manifestsFrom(text: string, { registryAddress, ecs }: StandIns): KubeManifest[] {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as KubeManifest);
  return documents.map((manifest) =>
    withAccount(withRegistry(manifest, registryAddress) as KubeManifest, ecs),
  );
}

/** A tenant's block with the ARNs and ids of the account that is there; what it asks for otherwise stays. */
function withAccount(manifest: KubeManifest, account: StandIns['ecs']): KubeManifest {
  const { spec } = manifest as { spec?: { computeConfig?: { ecs?: Readonly<Record<string, unknown>> } } };
  const block = spec?.computeConfig?.ecs;
  if (block === undefined) return manifest;
  const ecs = Object.fromEntries(
    Object.entries(block).map(([key, value]) => [key, key in account ? account[key] : value]),
  );
  return { ...manifest, spec: { ...spec, computeConfig: { ...spec?.computeConfig, ecs } } };
}

function withRegistry(value: unknown, address: string): unknown {
  if (typeof value === 'string') {
    return value.startsWith(placeholder) ? `${address}/${value.slice(placeholder.length)}` : value;
  }
  if (Array.isArray(value)) return value.map((item) => withRegistry(item, address));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withRegistry(item, address)]));
}
