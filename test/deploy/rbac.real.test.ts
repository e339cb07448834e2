import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyCrds } from '../../dev/apply-crds.ts';
import { startControlPlane } from '../../dev/control-plane.ts';
import type { AuditEntry, ControlPlane } from '../../dev/control-plane.ts';
import { createTestNamespace } from '../cluster/test-namespace.ts';
import type { TestNamespace } from '../cluster/test-namespace.ts';
import { startTestOperator } from '../cluster/test-operator.ts';
import type { TestOperator } from '../cluster/test-operator.ts';
import { apply, deployFolder, forOperatorUser, manifests, remove } from './manifests.ts';
import type { Manifest } from './manifests.ts';
import { endNamespace } from './namespace-controller.ts';
import { over, rendered } from './user-kustomization.ts';
import type { UserFiles } from './user-kustomization.ts';
import { until } from '../until.ts';

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({ operatorGroups: ['landlord-operators'] });
  await applyCrds(plane.kubeconfigPath);
});
afterAll(() => plane.stop());

/** Removes what a test has started or granted, the last first. */
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Cluster {
  readonly ns: TestNamespace;
  /** What the operators of this test have asked for. */
  readonly auditEntries: () => Promise<AuditEntry[]>;
}

/** What the rendered kustomization grants. */
async function rightsOf(files: UserFiles): Promise<readonly Manifest[]> {
  return (await rendered(files)).filter(({ kind }) => /^(Cluster)?Role(Binding)?$/.test(kind));
}

async function grant(rights: readonly Manifest[]): Promise<void> {
  const granted = rights.map(forOperatorUser);
  cleanups.push(async () => expect(await remove(plane.kubeconfigPath, granted)).toEqual([]));
  await apply(plane.kubeconfigPath, granted);
}

/** A namespace for a time in which the operator has no rights but those of `rights`. */
async function clusterWith(rights: (namespace: string) => Promise<readonly Manifest[]>): Promise<Cluster> {
  const { kubeconfigPath, auditLogPath } = plane;
  const ns = await createTestNamespace('rbac', { kubeconfigPath, auditLogPath });
  cleanups.push(() => ns.client.close());
  const own = manifests('base/namespace.yaml');
  // With the Lease and the key of hashes that the operator makes there.
  cleanups.push(async () => {
    await remove(kubeconfigPath, own);
    await endNamespace(kubeconfigPath, 'landlord-system');
  });
  await apply(kubeconfigPath, own);
  await grant(await rights(ns.name));
  const since = Date.now();
  // The watches of the test before end at last, too.
  const isOurs = ({ requestReceivedTimestamp }: AuditEntry) => Date.parse(requestReceivedTimestamp) >= since;
  return { ns, auditEntries: async () => (await plane.auditEntries()).filter(isOurs) };
}

function startOperator(
  namespaces: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): TestOperator {
  const config = parse(readFileSync(join(deployFolder, 'base/landlord.yaml'), 'utf8')) as {
    compute: Record<string, unknown>;
    leader_election: Record<string, unknown>;
  };
  const operator = startTestOperator({
    namespaces,
    compute: config.compute,
    // In a pod the namespace is that of the service account.
    config: { leader_election: { ...config.leader_election, namespace: 'landlord-system' }, ...more },
    kubeconfigPath: plane.operatorKubeconfigPath,
  });
  cleanups.push(() => operator.stop());
  return operator;
}

/** Tenants from nothing to Ready and to nothing: one that fails once, and one that reads a Secret, which changes, and a ConfigMap. */
async function liveALife({ ns, auditEntries }: Cluster): Promise<void> {
  const password = { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } };
  await ns.putSecret('db', { password: 'first' });
  await ns.putConfigMap('settings', { REGION: 'eu' });
  await ns.create('unlucky', { computeConfig: { mock: { fail_on: ['provision'], fail_times: 1 } } });
  await ns.create('secretive', {
    containers: [
      {
        name: 'app',
        image: 'registry.example/app:1',
        env: [password],
        envFrom: [{ configMapRef: { name: 'settings' } }],
      },
    ],
  });
  await ns.untilReady('unlucky');
  await ns.untilReady('secretive');
  await ns.putSecret('db', { password: 'second' });
  const reads = async (): Promise<number> =>
    (await auditEntries()).filter(
      ({ verb, objectRef }) => verb === 'get' && objectRef?.resource === 'secrets',
    ).length;
  await expect.poll(reads, { timeout: 10_000 }).toBeGreaterThan(1);
  for (const tenant of ['unlucky', 'secretive']) await ns.delete(tenant);
  for (const tenant of ['unlucky', 'secretive']) await ns.untilGone(tenant);
}

function refused(entries: readonly AuditEntry[]): string[] {
  const denied = entries.filter(({ responseStatus }) => responseStatus?.code === 403);
  return denied.map(({ verb, requestURI }) => `${verb} ${requestURI}`);
}

/** `patch tenants/status`, once for each kind of request that was granted. */
function granted(entries: readonly AuditEntry[]): Set<string> {
  return new Set(
    entries
      // A 404 was allowed to look.
      .filter(({ responseStatus }) => responseStatus?.code !== 403)
      .map(({ verb, objectRef }) =>
        [verb, [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/')].join(' '),
      ),
  );
}

const needed = [
  'get namespaces',
  'create leases',
  'get leases',
  'update leases',
  'watch tenants',
  'patch tenants',
  'patch tenants/status',
  'watch secrets',
  'get secrets',
  'watch configmaps',
  'get configmaps',
  'create secrets',
  'create events',
];

test('the rights of deploy/base are enough for a life from creation to deletion', async () => {
  const cluster = await clusterWith(() => rightsOf(over('base')));
  const operator = startOperator([]);
  await liveALife(cluster);
  await operator.stop();

  const entries = await cluster.auditEntries();
  expect(refused(entries)).toEqual([]);
  expect([...granted(entries)]).toEqual(expect.arrayContaining(needed));
  expect(granted(entries)).not.toContain('watch namespaces');
  await liveBySelector(cluster);
});

/** What a selector alone allows, with the rights of the component for that besides. */
async function liveBySelector({ ns, auditEntries }: Cluster): Promise<void> {
  await grant(manifests('components/namespace-selectors/role.yaml'));
  const entry = { selector: `kubernetes.io/metadata.name in (${ns.name})`, allowed_images: ['*'] };
  const policy = { allowed_images: ['none.example/none'], namespaces: [entry] };
  const operator = startOperator([], { policy });
  await ns.create('selected', { containers: [{ name: 'app', image: 'registry.example/app:1' }] });
  await ns.untilReady('selected');
  await operator.stop();

  const entries = await auditEntries();
  expect(refused(entries)).toEqual([]);
  expect(granted(entries)).toContain('watch namespaces');
}

/** The base with rights in one namespace alone. */
const inOne = (namespace: string, components: readonly string[]): UserFiles => ({
  'my/kustomization.yaml': {
    resources: ['../deploy/base', 'tenants'],
    components: ['namespaced', ...components].map((name) => `../deploy/components/${name}`),
  },
  'my/tenants/kustomization.yaml': { namespace, resources: ['../../deploy/tenant-namespace'] },
});

test.each([
  { components: [], config: {}, besides: ['kube-system'] },
  { components: ['cluster-id'], config: { cluster_id: 'eu-1' }, besides: [] },
])('the rights of namespaced with $components are enough, and end at its namespaces', async (place) => {
  const cluster = await clusterWith((namespace) => rightsOf(inOne(namespace, place.components)));
  const operator = startOperator([cluster.ns.name], place.config);
  await liveALife(cluster);
  await operator.stop();

  const entries = await cluster.auditEntries();
  expect(refused(entries)).toEqual([]);
  const here = needed.filter((request) => request !== 'get namespaces' || place.besides.length > 0);
  expect([...granted(entries)]).toEqual(expect.arrayContaining(here));
  const namespaces = entries.map(({ objectRef }) => objectRef?.namespace);
  expect(new Set(namespaces)).toEqual(new Set([cluster.ns.name, 'landlord-system', ...place.besides]));
});

test('with the component finalizer-policy a tenant costs one write until it is Ready', async () => {
  const cluster = await clusterWith(async () => [
    ...(await rightsOf(over('base'))),
    ...manifests('components/finalizer-policy/policy.yaml'),
  ]);
  const { ns } = cluster;
  // The apiserver learns of a new policy within a second or so; what is created before has no finalizer.
  const probe = async (name: string): Promise<number> => {
    const { metadata } = await ns.create(name, { suspend: true });
    return metadata.finalizers?.length ?? 0;
  };
  let probes = 0;
  await expect.poll(() => probe(`probe-${(probes += 1)}`), { timeout: 30_000, interval: 200 }).toBe(1);
  startOperator([]);
  await ns.create('one', { computeConfig: { mock: {} } });
  await ns.untilReady('one');

  const writesToOne = async () => (await ns.writes()).filter(({ objectRef }) => objectRef?.name === 'one');
  await until('its write in the audit log', async () => (await writesToOne()).length > 0);
  const writes = await writesToOne();
  expect(writes.map(({ verb, objectRef }) => `${verb} ${objectRef?.subresource ?? 'itself'}`)).toEqual([
    'patch status',
  ]);
});
