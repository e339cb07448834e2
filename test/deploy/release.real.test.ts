import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { helm } from '../../dev/helm.ts';
import { productionPackages } from '../../dev/release/licence-texts.ts';
import { releaseFiles } from '../../dev/release/release-files.ts';
import { documentsOf } from './manifests.ts';
import { withoutLabels } from './references.ts';
import { over, rendered } from './user-kustomization.ts';

/** What `npm run release` writes. That install.yaml applies is seen where `kubectl apply -k deploy` is: it is the same. */
let files: ReadonlyMap<string, string | Buffer>;
beforeAll(async () => {
  files = await releaseFiles();
});

const textOf = (name: string): string => String(files.get(name));

test('install.yaml is what `kubectl apply -k deploy` sends', async () => {
  expect(documentsOf(textOf('install.yaml'))).toEqual(await rendered(over('')));
});

test('with an image of your own, install.yaml differs in that alone', async () => {
  const image = 'registry.example/landlord';
  const own = documentsOf(String((await releaseFiles({ image })).get('install.yaml')));
  const plain = documentsOf(textOf('install.yaml'));
  const replaced = JSON.stringify(plain).replaceAll('"image":"landlord:', `"image":"${image}:`);
  expect(JSON.stringify(own)).toBe(replaced);
  expect(own).not.toEqual(plain);
});

test('crds.yaml is the CRD of install.yaml', () => {
  const [crd] = documentsOf(textOf('install.yaml')).filter(({ kind }) => kind === 'CustomResourceDefinition');
  const [alone] = documentsOf(textOf('crds.yaml'));
  expect(alone?.['spec']).toEqual(crd?.['spec']);
});

test('the chart, with your image, prints what install.yaml has but for labels and the Namespace', async () => {
  const image = 'registry.example/landlord';
  const released = await releaseFiles({ image });
  const [name = ''] = [...released.keys()].filter((file) => file.endsWith('.tgz'));
  expect(name).toMatch(/^landlord-\d+\.\d+\.\d+\.tgz$/);
  const folder = await mkdtemp(join(tmpdir(), 'landlord-release-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, name), released.get(name) ?? '');
  const args = ['template', 'landlord', join(folder, name), '--namespace', 'landlord-system'];
  const installed = documentsOf(String(released.get('install.yaml')));
  expect(withoutLabels(documentsOf(await helm(args)))).toEqual(withoutLabels(installed));
  expect(JSON.stringify(installed)).toContain(`"image":"${image}:`);
});

test('the SBOM is CycloneDX, and names every package that the operator is built from', () => {
  const bom = JSON.parse(textOf('sbom.cdx.json')) as {
    bomFormat: string;
    metadata: { component: { name: string } };
    components: readonly { name: string; version: string }[];
  };
  expect(bom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'landlord' } } });
  const named = new Set(bom.components.map(({ name, version }) => `${name}@${version}`));
  const packages = productionPackages(join(import.meta.dirname, '../..'));
  expect(named).toEqual(new Set(packages.map(({ name, version }) => `${name}@${version}`)));
  expect(named).toContain(`yaml@${packages.find(({ name }) => name === 'yaml')?.version}`);
});

test('SHA256SUMS has each of the others', () => {
  const others = [...files].filter(([name]) => name !== 'SHA256SUMS');
  const lines = others.map(
    ([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`,
  );
  expect(textOf('SHA256SUMS')).toBe(lines.join(''));
  expect(others.length).toBeGreaterThan(5);
});
