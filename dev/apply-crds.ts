import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { kubeRequest } from './kube-request.ts';
import type { KubeResponse } from './kube-request.ts';

/** The repository's crds/. */
const crdsFolder = fileURLToPath(new URL('../crds/', import.meta.url));

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const establishedTimeoutMs = 30_000;

interface Definition {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/**
 * Applies every CustomResourceDefinition in `folder` (the repository's crds/ by default) and waits until the apiserver
 * serves them. Returns their names; none when there is no such folder. Rejects with what the apiserver has against one.
 */
export async function applyCrds(kubeconfigPath: string, folder = crdsFolder): Promise<string[]> {
  const files = (await readdir(folder).catch(() => [])).filter((file) => /\.ya?ml$/.test(file));
  const definitions = await Promise.all(files.map((file) => readDefinitions(join(folder, file))));
  const names: string[] = [];
  for (const definition of definitions.flat()) {
    const { name } = definition.metadata;
    const response = await kubeRequest(kubeconfigPath, {
      method: 'PATCH',
      path: `${definitionsPath}/${name}?fieldManager=landlord-dev&force=true`,
      contentType: 'application/apply-patch+yaml',
      body: definition,
    });
    if (response.status >= 300)
      throw new Error(`the apiserver refuses the CRD ${name}: ${message(response)}`);
    names.push(name);
  }
  await Promise.all(names.map((name) => waitUntilEstablished(kubeconfigPath, name)));
  return names;
}

async function readDefinitions(path: string): Promise<Definition[]> {
  const documents = parseAllDocuments(await readFile(path, 'utf8'));
  return documents
    .map((document) => document.toJS() as Definition | null)
    .filter((document) => document !== null);
}

async function waitUntilEstablished(kubeconfigPath: string, name: string): Promise<void> {
  const deadline = Date.now() + establishedTimeoutMs;
  for (;;) {
    const response = await kubeRequest(kubeconfigPath, { path: `${definitionsPath}/${name}` });
    const conditions = (response.body as Definition).status?.conditions ?? [];
    if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) return;
    if (Date.now() > deadline) {
      throw new Error(
        `the CRD ${name} is not established after ${establishedTimeoutMs / 1000} s: ${message(response)}`,
      );
    }
    await sleep(50);
  }
}

function message(response: KubeResponse): string {
  const { body } = response;
  const isStatus = typeof body === 'object' && body !== null && 'message' in body;
  return `HTTP ${response.status} ${isStatus ? String(body.message) : JSON.stringify(body).slice(0, 1_000)}`;
}
