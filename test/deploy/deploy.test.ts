import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { nodeFlags } from '../../bench/operator-command.ts';
import { finalizer } from '../../src/api/names.ts';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { readPages } from '../docs/markdown.ts';
import { deployFolder, manifests } from './manifests.ts';

const files = readdirSync(deployFolder, { recursive: true, encoding: 'utf8' }).map((file) =>
  file.replaceAll('\\', '/'),
);

test.each(files.filter((file) => file.endsWith('/landlord.yaml')))('%s is a valid config', (file) => {
  const text = readFileSync(join(deployFolder, file), 'utf8');
  const config = parseConfig(text, file, { providers: providerDefinitions, environment: {} });
  // Any deployment may be scaled by hand.
  expect(config.leader_election.enabled).toBe(true);
});

interface Kustomization {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly configMapGenerator?: readonly { readonly files: readonly string[] }[];
}

test.each(files.filter((file) => file.endsWith('kustomization.yaml')))(
  'all that %s names is there',
  (file) => {
    const folder = join(deployFolder, dirname(file));
    const kustomization = parse(readFileSync(join(deployFolder, file), 'utf8')) as Kustomization;
    const { resources = [], components = [], configMapGenerator = [] } = kustomization;
    const named = [...resources, ...components, ...configMapGenerator.flatMap(({ files }) => files)];
    for (const path of named) {
      const parent = readdirSync(dirname(join(folder, path)));
      expect(parent, path).toContain(join(folder, path).split('/').at(-1));
    }
  },
);

test('what the component namespaced unbinds for the cluster is what a namespace with Tenants binds', () => {
  const patches = (
    parse(readFileSync(join(deployFolder, 'components/namespaced/kustomization.yaml'), 'utf8')) as {
      patches: readonly { target: { kind: string; name: string } }[];
    }
  ).patches;
  const unbound = ['base/cluster-role.yaml', 'base/secrets-role.yaml', 'base/cluster-uid-role.yaml']
    .flatMap(manifests)
    .filter((object) =>
      patches.some(
        ({ target: { kind, name } }) =>
          kind === object.kind && new RegExp(`^(${name})$`).test(object.metadata.name),
      ),
    );
  const bound = manifests('tenant-namespace/role-bindings.yaml');
  expect(unbound).toHaveLength(2);
  expect(bound.map((object) => object['roleRef'])).toEqual(unbound.map((object) => object['roleRef']));
});

describe('the image of the operator', () => {
  const read = (file: string): string => readFileSync(join(deployFolder, file), 'utf8');
  const { version } = JSON.parse(read('../package.json')) as { version: string };

  test('has the version of package.json, in one place', () => {
    const { images } = parse(read('base/kustomization.yaml')) as { images: unknown };
    expect(images).toEqual([{ name: 'landlord', newTag: version }]);
    // The chart is generated, with that version.
    const others = files.filter(
      (file) => /^(?!chart\/).*\.yaml$/.test(file) && file !== 'base/kustomization.yaml',
    );
    const named = others.filter((file) => /^\s*(newTag|digest):|image: \S*landlord[:@]/m.test(read(file)));
    expect(named).toEqual([]);
    expect(parse(read('chart/Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });

  test('has that version in the docs, too', () => {
    const told = readPages()
      .filter(({ file }) => file !== 'CHANGELOG.md')
      .flatMap(({ text }) => [...text.matchAll(/\/landlord:(\d[\w.-]*)/g)].map((match) => match[1]));
    expect(told.length).toBeGreaterThan(0);
    expect(new Set(told)).toEqual(new Set([version]));
  });
});

test('the rights about Tenants in a namespace are held until it has none, and so is the namespace of the operator', () => {
  const kept = [...manifests('tenant-namespace/role-bindings.yaml'), ...manifests('base/namespace.yaml')]
    .filter(({ metadata }) => (metadata as { labels?: object }).labels !== undefined)
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  expect(kept).toEqual(['RoleBinding landlord', 'Namespace landlord-system']);
  const [{ spec } = { spec: undefined }] = manifests('components/namespaced/removal-policy.yaml');
  expect(spec).toMatchObject({
    matchConstraints: { objectSelector: { matchLabels: { 'landlord.dev/kept-for': 'tenants' } } },
    validations: [{ expression: expect.stringContaining(`'${finalizer}'`) }],
  });
});

test('the image runs node with the flags that the bench measures', () => {
  const dockerfile = readFileSync(join(deployFolder, '../Dockerfile'), 'utf8');
  const entrypoint = /^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '';
  expect(JSON.parse(entrypoint)).toEqual(['node', ...nodeFlags, '/landlord/dist/main.js']);
});
