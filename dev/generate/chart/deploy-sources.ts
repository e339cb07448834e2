import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { Block } from './merge-if.ts';

/** deploy/ as the chart takes it: what kustomize reads, read without kustomize. */

const deployFolder = join(import.meta.dirname, '../../../deploy');

export interface Manifest extends Block {
  readonly kind: string;
  readonly metadata: Block & { readonly name: string };
}

interface Patch {
  readonly target?: { readonly kind: string; readonly name: string };
  readonly patch: string;
}

interface Kustomization {
  readonly resources?: readonly string[];
  readonly patches?: readonly Patch[];
  readonly images?: readonly { readonly newTag?: string }[];
}

export function textOf(file: string): string {
  return readFileSync(join(deployFolder, file), 'utf8');
}

export function manifestsOf(file: string): Manifest[] {
  return parseAllDocuments(textOf(file)).map((document) => document.toJS() as Manifest);
}

function kustomizationOf(folder: string): Kustomization {
  return parse(textOf(`${folder}/kustomization.yaml`)) as Kustomization;
}

/** Each file of the base with its objects, but for the Namespace, which Helm makes before a chart, and the CRD. */
export function baseFiles(): [file: string, objects: Manifest[]][] {
  const { resources = [] } = kustomizationOf('base');
  return resources
    .filter((file) => file.endsWith('.yaml') && file !== 'namespace.yaml')
    .map((file) => [file, manifestsOf(`base/${file}`)]);
}

/** What a component adds. */
export function additionsOf(component: string): Manifest[] {
  const { resources = [] } = kustomizationOf(`components/${component}`);
  return resources.flatMap((file) => manifestsOf(`components/${component}/${file}`));
}

/** Whether a component takes the object away. */
export function takesAway(component: string, { kind, metadata: { name } }: Manifest): boolean {
  const { patches = [] } = kustomizationOf(`components/${component}`);
  return patches.some(
    ({ target, patch }) =>
      target !== undefined &&
      patch.startsWith('$patch: delete') &&
      new RegExp(`^(?:${target.kind})$`).test(kind) &&
      new RegExp(`^(?:${target.name})$`).test(name),
  );
}

/** What a component's patches make of the object of this kind. Throws where it has none. */
export function patchOf(component: string, kind: string): Block {
  const { patches = [] } = kustomizationOf(`components/${component}`);
  const found = patches.map(({ patch }) => parse(patch) as Manifest).find((patch) => patch.kind === kind);
  if (found === undefined) throw new Error(`deploy/components/${component} has no patch of a ${kind}`);
  return found;
}
