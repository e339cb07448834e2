import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startControlPlane } from '../../dev/control-plane.ts';
import type { ControlPlane } from '../../dev/control-plane.ts';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { hashKeySecret } from '../../src/operator/hash-key.ts';
import { codeBlocks, readPages } from '../docs/markdown.ts';
import { apply, deployFolder, isOfCluster } from './manifests.ts';
import type { Manifest } from './manifests.ts';
import { servePodMonitors } from './pod-monitors.ts';
import { nameOf, referred } from './references.ts';
import { over, rendered } from './user-kustomization.ts';
import type { UserFiles } from './user-kustomization.ts';

/** What users make of deploy/, applied as they would: on an apiserver that has never seen it, and once more. */
let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
  await servePodMonitors(plane.kubeconfigPath);
});
afterAll(() => plane.stop());

const foldersOf = (folder: string): string[] =>
  readdirSync(join(deployFolder, folder)).map((name) => `${folder}/${name}`);
const places: { resource: string; components: readonly string[] }[] = [
  { resource: '', components: [] },
  { resource: 'base', components: [] },
  ...foldersOf('overlays').map((resource) => ({ resource, components: [] })),
  ...foldersOf('components').map((component) => ({ resource: 'base', components: [component] })),
];

const rulesOf = (objects: readonly Manifest[], name: string): string | undefined =>
  JSON.stringify(objects.find(({ metadata }) => metadata.name === name)?.['rules']);

/** What the operator asks for by names that no kustomization changes: it would look there in vain. */
function expectOwnNames(objects: readonly Manifest[], namePrefix: string): void {
  const { data } = objects.find(({ kind }) => kind === 'ConfigMap') as { data?: Record<string, string> };
  const config = parseConfig(data?.['landlord.yaml'] ?? '', 'landlord.yaml', {
    providers: providerDefinitions,
    environment: {},
  });
  const lease = `"resourceNames":["${config.leader_election.name}"]`;
  expect(rulesOf(objects, `${namePrefix}landlord-lease`)).toContain(lease);
  const secret = `"resourceNames":["${hashKeySecret}"]`;
  // Without a right to Secrets there is none to this one.
  expect(rulesOf(objects, `${namePrefix}landlord-hash-key`) ?? secret).toContain(secret);
}

describe("under a namespace and a prefix of one's own", () => {
  test.each(places.map((place, index) => ({ ...place, index })))(
    'deploy/$resource with $components is moved as a whole, and applies twice in a row',
    async ({ resource, components, index }) => {
      const namespace = `infra-${index}`;
      const namePrefix = `prod-${index}-`;
      const objects = await rendered(over(resource, components, { namespace, namePrefix }));
      expect(
        new Set(objects.filter((object) => !isOfCluster(object)).map((o) => o.metadata.namespace)),
      ).toEqual(new Set([namespace]));
      expect(JSON.stringify(objects)).not.toContain('landlord-system');
      const named = objects.filter(({ kind }) => !/^(Namespace|CustomResourceDefinition)$/.test(kind));
      expect(named.filter(({ metadata: { name } }) => !name.startsWith(namePrefix))).toEqual([]);
      expect(objects.map(nameOf)).toEqual(expect.arrayContaining(referred(objects)));
      expectOwnNames(objects, namePrefix);
      await apply(plane.kubeconfigPath, objects);
      await apply(plane.kubeconfigPath, objects);
    },
  );

  test('a config is put in, and a patch made, without the name of the namespace that is left', async () => {
    const patch = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'landlord' },
      spec: { template: { spec: { priorityClassName: 'high' } } },
    };
    const files = over('overlays/docker', [], {
      namespace: 'infra',
      configMapGenerator: [{ name: 'landlord-config', behavior: 'replace', files: ['landlord.yaml'] }],
      patches: [{ patch: JSON.stringify(patch) }],
    });
    const config = 'compute: {mock: {}}';
    const objects = await rendered({ ...files, 'my/landlord.yaml': config });
    const maps = objects.filter(({ kind }) => kind === 'ConfigMap');
    expect(maps).toMatchObject([{ metadata: { namespace: 'infra' }, data: { 'landlord.yaml': config } }]);
    expect(JSON.stringify(objects)).toContain('"priorityClassName":"high"');
    expect(objects.map(nameOf)).toEqual(expect.arrayContaining(referred(objects)));
  });
});

test.each(['overlays/one-namespace', ''])(
  'as it stands, deploy/%s applies twice in a row',
  async (resource) => {
    const objects = await rendered(over(resource));
    await apply(plane.kubeconfigPath, objects);
    await apply(plane.kubeconfigPath, objects);
    const namespaces = objects
      .filter(({ kind }) => kind === 'Namespace')
      .map(({ metadata }) => metadata.name);
    expect(namespaces).toEqual(['landlord-system']);
  },
);

describe('docs/install.md', () => {
  /** Its files that begin with their path below `folder`. */
  const filesIn = (folder: string): UserFiles => {
    const page = readPages().find(({ file }) => file === 'docs/install.md');
    const blocks = page === undefined ? [] : codeBlocks(page);
    const named = blocks.map(({ text }) => [/^# (\S+\.yaml)\n/.exec(text)?.[1] ?? '', text] as const);
    return Object.fromEntries(named.filter(([path]) => path.startsWith(folder)));
  };

  test("shows a kustomization of one's own", async () => {
    const { 'mine/kustomization.yaml': kustomization = '' } = filesIn('mine/');
    const config = 'compute: {mock: {}}';
    const objects = await rendered({ 'my/kustomization.yaml': kustomization, 'my/landlord.yaml': config });
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    expect(deployment).toMatchObject({ metadata: { name: 'prod-landlord', namespace: 'infra' } });
    expect(JSON.stringify(deployment)).toContain('"image":"registry.example/landlord:');
    expect(objects.find(({ kind }) => kind === 'ConfigMap')?.['data']).toEqual({ 'landlord.yaml': config });
    expect(objects.map(nameOf)).toEqual(expect.arrayContaining(referred(objects)));
  });

  test('shows an installation for chosen namespaces, whose bindings there follow the operator to its own', async () => {
    const files = filesIn('my/');
    expect(Object.keys(files)).toHaveLength(4);
    const objects = await rendered(files);
    const team = objects.filter(({ metadata }) => metadata.namespace === 'team-a');
    const account = { kind: 'ServiceAccount', name: 'prod-landlord', namespace: 'infra' };
    expect(team.map(({ kind, metadata, subjects }) => [kind, metadata.name, subjects])).toEqual([
      ['RoleBinding', 'landlord', [account]],
      ['RoleBinding', 'landlord-secrets', [account]],
    ]);
    const wide = objects.filter(({ kind }) => kind === 'ClusterRoleBinding');
    expect(wide.map(({ metadata }) => metadata.name)).toEqual(['prod-landlord-cluster-uid']);
    expect(objects.map(nameOf)).toEqual(expect.arrayContaining(referred(objects)));
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } };
    await apply(plane.kubeconfigPath, [namespace]);
    await apply(plane.kubeconfigPath, objects);
    await apply(plane.kubeconfigPath, objects);
  });
});
