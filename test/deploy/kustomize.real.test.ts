import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { kubeRequest } from '../../dev/kube-request.ts';
import { kustomize } from '../../dev/kustomize.ts';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { apply, deployFolder, documentsOf, manifests } from './manifests.ts';
import type { Manifest } from './manifests.ts';
import { servePodMonitors } from './pod-monitors.ts';
import { nameOf, referred } from './references.ts';
import { over, rendered, renderedText } from './user-kustomization.ts';

/**
 * All of deploy/ as an admin would apply it, on a real apiserver, where nothing of it stays but its namespaces: the
 * finalizer policy alone would change the other tests' Tenants.
 */
const kubeconfig = inject('kubeconfigPath');
const foldersOf = async (folder: string): Promise<string[]> =>
  (await readdir(join(deployFolder, folder))).map((name) => `${folder}/${name}`);
const overlays = ['base', ...(await foldersOf('overlays'))];
const components = await foldersOf('components');
const samples = (await readdir(join(deployFolder, 'samples'))).map((file) => `samples/${file}`);

const ofKind = (objects: readonly Manifest[], kind: string): Manifest[] =>
  objects.filter((object) => object.kind === kind);

/** A member of the one object of this kind. */
function memberOf(objects: readonly Manifest[], kind: string, member: string): unknown {
  const [object, ...others] = ofKind(objects, kind);
  if (object === undefined || others.length > 0) throw new Error(`not exactly one ${kind}`);
  return object[member];
}

/** Without its one Namespace the apiserver would refuse all that is in it. */
async function applyAll(objects: readonly Manifest[]): Promise<void> {
  await apply(kubeconfig, ofKind(objects, 'Namespace'));
  await apply(kubeconfig, objects, { dryRun: true });
}

/** What the kubelet's node would be asked to run; rejects where the namespace's pod security level forbids it. */
async function applyPod(objects: readonly Manifest[]): Promise<void> {
  const { template } = memberOf(objects, 'Deployment', 'spec') as {
    template: { metadata: object; spec: object };
  };
  const metadata = { ...template.metadata, name: 'landlord-0', namespace: 'landlord-system' };
  await apply(kubeconfig, [{ apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec }], {
    dryRun: true,
  });
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Grants of what the apiserver doesn't serve: `patch tenant in landlord.dev`. */
async function unreal(rules: readonly Rule[]): Promise<string[]> {
  const found: string[] = [];
  for (const { apiGroups, resources, verbs } of rules) {
    for (const group of apiGroups) {
      const served = await verbsServed(group);
      const granted = resources.flatMap((resource) => verbs.map((verb) => ({ resource, verb })));
      found.push(
        ...granted
          .filter(({ resource, verb }) => served.get(resource)?.includes(verb) !== true)
          .map(({ resource, verb }) => `${verb} ${resource} in ${group}`),
      );
    }
  }
  return found;
}

async function verbsServed(group: string): Promise<Map<string, readonly string[]>> {
  let path = '/api/v1';
  if (group !== '') {
    const { body } = await kubeRequest(kubeconfig, { path: `/apis/${group}` });
    path = `/apis/${(body as { preferredVersion?: { groupVersion: string } }).preferredVersion?.groupVersion}`;
  }
  const { body } = await kubeRequest(kubeconfig, { path });
  const { resources = [] } = body as { resources?: { name: string; verbs: string[] }[] };
  return new Map(resources.map(({ name, verbs }) => [name, verbs]));
}

/** The checks that hold for whatever is rendered. */
async function expectWhole(objects: readonly Manifest[]): Promise<void> {
  await applyAll(objects);
  await applyPod(objects);
  const rules = objects.flatMap((object) => (object['rules'] ?? []) as Rule[]);
  expect(rules).not.toEqual([]);
  expect(await unreal(rules)).toEqual([]);
  const names = objects.map(nameOf);
  expect(names).toEqual(expect.arrayContaining(referred(objects)));
  expect(new Set(names).size).toBe(names.length);
}

describe('the real apiserver takes, without a field that it does not know,', () => {
  beforeAll(() => servePodMonitors(kubeconfig));

  test.each(overlays)(
    'deploy/%s, whose config the operator takes and whose rights are real',
    async (overlay) => {
      const objects = documentsOf(await kustomize(join(deployFolder, overlay)));
      await expectWhole(objects);
      const data = memberOf(objects, 'ConfigMap', 'data') as Record<string, string>;
      const text = data['landlord.yaml'] ?? '';
      parseConfig(text, overlay, { providers: providerDefinitions, environment: {} });
    },
  );

  test('deploy/overlays/ecs, without a right to any Secret', async () => {
    const right = 'secrets';
    expect(await kustomize(join(deployFolder, 'base'))).toContain(right);
    const objects = documentsOf(await kustomize(join(deployFolder, 'overlays/ecs')));
    expect(
      objects
        .filter(({ kind }) => kind.includes('Role'))
        .filter((role) => JSON.stringify(role).includes(right)),
    ).toEqual([]);
  });

  test('deploy/components/no-crds, which leaves out the CRD alone', async () => {
    const without = await rendered(over('base', ['components/no-crds']));
    const whole = documentsOf(await kustomize(join(deployFolder, 'base')));
    expect(without).toEqual(whole.filter(({ kind }) => kind !== 'CustomResourceDefinition'));
    expect(without).toHaveLength(whole.length - 1);
  });

  test.each(components)('deploy/base with deploy/%s, which changes or adds something', async (component) => {
    const files = over('base', [component]);
    await expectWhole(await rendered(files));
    expect(await renderedText(files)).not.toBe(await kustomize(join(deployFolder, 'base')));
  });

  test.each(samples)('deploy/%s', async (sample) => {
    const objects = manifests(sample).map((object) => ({
      ...object,
      metadata: { ...object.metadata, namespace: 'default' },
    }));
    expect(ofKind(objects, 'Tenant').length).toBeGreaterThan(0);
    await apply(kubeconfig, objects, { dryRun: true });
  });
});
