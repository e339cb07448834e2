import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { startControlPlane } from '../../dev/control-plane.ts';
import type { ControlPlane } from '../../dev/control-plane.ts';
import { pushImage } from '../../dev/images.ts';
import { kubeRequest } from '../../dev/kube-request.ts';
import { kustomize } from '../../dev/kustomize.ts';
import { apiVersion, finalizer, kind } from '../../src/api/names.ts';
import { crdMissing } from '../../src/controller/followed/missing-crd.ts';
import { dockerBlock, engineView } from '../cluster/docker-tenants.ts';
import { endpointsOf } from '../cluster/operator-endpoints.ts';
import { recordingStream } from '../cluster/recording-stream.ts';
import { createTestNamespace } from '../cluster/test-namespace.ts';
import type { TestNamespace } from '../cluster/test-namespace.ts';
import { startTestOperator } from '../cluster/test-operator.ts';
import { until } from '../until.ts';
import { apply, deployFolder, documentsOf, manifests, pathOf, remove } from './manifests.ts';
import type { Manifest } from './manifests.ts';
import { endNamespace } from './namespace-controller.ts';
import { operatorKubeconfig } from './service-account.ts';

/** What docs/removing.md promises, with what `kubectl delete -k` would send, under the rights that deploy/ grants. */

const view = engineView();

const cleanups: (() => unknown)[] = [];
let plane: ControlPlane;
let ns: TestNamespace;
let image: string;
let installed: readonly Manifest[];

beforeAll(async () => {
  plane = await startControlPlane();
});
afterAll(() => plane.stop());
beforeEach(async () => {
  const { kubeconfigPath, auditLogPath } = plane;
  ns = await createTestNamespace('removing', { kubeconfigPath, auditLogPath });
  const { name, client } = ns;
  cleanups.push(
    () => view.clear(name),
    () => client.close(),
  );
  image = await pushImage({ address: inject('registryAddress') }, { repository: name, tag: '1' });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function rendered(overlay: string): Promise<readonly Manifest[]> {
  return documentsOf(await kustomize(join(deployFolder, 'overlays', overlay)));
}

const crd = () => installed.find(({ kind }) => kind === 'CustomResourceDefinition') as Manifest;
const send = (path: string, method = 'GET') => kubeRequest(plane.kubeconfigPath, { path, method });
const isThere = async (object: Manifest): Promise<boolean> => (await send(pathOf(object))).status === 200;

/** `kubectl apply -k`. */
async function install(): Promise<void> {
  await apply(plane.kubeconfigPath, installed);
}

/** As the admission has it that is in force by now: it learns of policies within a second or so. */
async function untilGuarded(object: Manifest): Promise<void> {
  const dryRun = async () => (await send(`${pathOf(object)}?dryRun=All`, 'DELETE')).status;
  await until(`${object.kind} ${object.metadata.name} is guarded`, async () => (await dryRun()) === 403);
}

/** The pod of the Deployment, which nobody starts here. Resolves once it is ready. */
async function startOperator(namespaces: readonly string[] = []) {
  const log = recordingStream();
  const { readyz } = endpointsOf(() => log.lines.join('\n'));
  const operator = startTestOperator({
    namespaces,
    compute: { docker: dockerBlock(image) },
    config: {
      instance: ns.name,
      leader_election: { enabled: true, namespace: 'landlord-system' },
    },
    kubeconfigPath: await operatorKubeconfig(plane),
    logger: log.logger,
  });
  cleanups.push(() => operator.stop());
  return { stop: () => operator.stop(), readyz };
}

const create = (name: string) =>
  ns.create(name, { volumePolicy: 'Delete', containers: [{ name: 'app', image }] });

/** Whatever is installed after this is to find none. */
async function removeTenants(names: readonly string[]): Promise<void> {
  for (const name of names) await ns.delete(name);
  for (const name of names) await ns.untilGone(name);
}

async function untilServed(): Promise<void> {
  await until(
    'Tenants are served',
    async () => (await send('/apis/landlord.dev/v1alpha1/tenants')).status === 200,
  );
}

async function runningIds(): Promise<string[]> {
  const containers = await view.containers(ns.name);
  return containers.filter(({ State }) => State === 'running').map(({ Id }) => Id);
}

/** `kubectl delete -k`, at whose end a pod that has lost its Deployment and its rights is no more. */
async function deleteAll(operator: { stop(): Promise<void> }): Promise<string[]> {
  const refused = await remove(plane.kubeconfigPath, installed);
  await operator.stop();
  await endNamespace(plane.kubeconfigPath, 'landlord-system');
  return refused;
}

const consent = () =>
  kubeRequest(plane.kubeconfigPath, {
    method: 'PATCH',
    path: pathOf(crd()),
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { 'landlord.dev/allow-removal': 'true' } } },
  });

describe('an installation of the whole cluster', () => {
  beforeEach(async () => {
    installed = await rendered('docker');
    await install();
    await untilServed();
    await untilGuarded(crd());
  });

  test('that is deleted at once with Tenants in it loses none of them, and applied again has them as they were', async () => {
    const first = await startOperator();
    for (const name of ['one', 'two']) await create(name);
    for (const name of ['one', 'two']) await ns.untilReady(name);
    const before = await runningIds();
    // Nor by whoever names none.
    const all = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect((await send(all, 'DELETE')).status).toBe(403);
    const refused = await deleteAll(first);
    expect(refused).toEqual([expect.stringMatching(/^CustomResourceDefinition tenants\.landlord\.dev: /)]);
    expect(refused[0]).toContain('kubectl annotate crd tenants.landlord.dev landlord.dev/allow-removal=true');
    expect((await ns.get('one'))?.metadata).not.toHaveProperty('deletionTimestamp');

    await install();
    const { readyz } = await startOperator();
    await until('it is ready', async () => (await readyz()).status === 200);
    await ns.patch('one', { metadata: { annotations: { 'landlord.dev/reconcile-requested-at': 'now' } } });
    await ns.until('one', 'looked at', ({ status }) => status?.lastHandledReconcileAt === 'now');
    expect((await runningIds()).toSorted()).toEqual(before.toSorted());
    await removeTenants(['one', 'two']);
  });

  test('that was deleted half, with the CRD, is deleted to its end by an operator that is applied again', async () => {
    const first = await startOperator();
    await create('one');
    await ns.untilReady('one');
    await first.stop();
    await consent();
    expect(await deleteAll(first)).toEqual([]);
    expect((await ns.get('one'))?.metadata).toHaveProperty('deletionTimestamp');
    expect(await runningIds()).toHaveLength(1);

    await install();
    const { readyz } = await startOperator();
    await until('the CRD is gone', async () => !(await isThere(crd())));
    expect(await view.leftovers(ns.name)).toEqual([]);
    await until('it says so', async () => (await readyz()).text === `${crdMissing}\n`);
    await install();
    await until('it is ready', async () => (await readyz()).status === 200);
    await create('one');
    await ns.untilReady('one');
    await removeTenants(['one']);
  });

  test('ends without anything left, as the page on removing has it', async () => {
    const operator = await startOperator();
    for (const name of ['one', 'two', 'three']) await create(name);
    for (const name of ['one', 'two', 'three']) await ns.untilReady(name);
    await removeTenants(['one', 'two', 'three']);
    expect(await view.leftovers(ns.name)).toEqual([]);
    await consent();
    expect(await deleteAll(operator)).toEqual([]);
    for (const object of installed)
      await until(`${object.kind} is gone`, async () => !(await isThere(object)));
  });
});

describe('an installation with rights in chosen namespaces', () => {
  const policy = manifests('components/namespaced/removal-policy.yaml');

  /** The operator's rights about Tenants, in the namespace of the test alone. */
  const bindings = (): Manifest[] =>
    manifests('tenant-namespace/role-bindings.yaml').map((object) => ({
      ...object,
      metadata: { ...object.metadata, namespace: ns.name },
    }));
  const ownRights = (object: Manifest): boolean =>
    !(
      object.kind === 'ClusterRoleBinding' && ['landlord', 'landlord-secrets'].includes(object.metadata.name)
    );
  const deleteNamespace = async (name: string) => {
    const { status, body } = await send(`/api/v1/namespaces/${name}`, 'DELETE');
    return { status, message: String((body as { message?: string }).message) };
  };

  beforeEach(async () => {
    const base = (await rendered('docker')).filter(ownRights);
    installed = [...base, ...bindings(), ...policy];
    await install();
    await untilServed();
  });

  test('that loses a namespace empties the engines first: its rights there end with the last Tenant', async () => {
    const { readyz } = await startOperator([ns.name]);
    await until('it is ready', async () => (await readyz()).status === 200);
    for (const name of ['one', 'two']) await create(name);
    for (const name of ['one', 'two']) await ns.untilReady(name);
    await untilGuarded(bindings()[0] as Manifest);
    expect((await deleteNamespace(ns.name)).status).toBe(200);
    await endNamespace(plane.kubeconfigPath, ns.name);
    expect(await view.leftovers(ns.name)).toEqual([]);
    expect((await send(`/api/v1/namespaces/${ns.name}`)).status).toBe(404);
    await until('it tells of it', async () =>
      (await readyz()).text.startsWith(`Tenants in namespace ${ns.name}`),
    );
    expect((await readyz()).status).toBe(503);
  });

  test('can not lose the namespace of the operator itself while there are Tenants in it', async () => {
    const own = 'landlord-system';
    const tenant = (finalizers: string[]): Manifest => ({
      apiVersion,
      kind,
      metadata: { name: 'here', namespace: own, finalizers } as Manifest['metadata'],
      spec: {},
    });
    const theNamespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: own } };
    await apply(plane.kubeconfigPath, [tenant([finalizer])]);
    await untilGuarded(theNamespace);
    const { status, message } = await deleteNamespace(own);
    expect([status, message]).toEqual([403, expect.stringContaining('the Tenant here is still there')]);
    expect(message).toContain(`kubectl delete tenants.landlord.dev --all -n ${own}`);
    // What the operator has nothing of is nothing to wait for.
    await apply(plane.kubeconfigPath, [tenant([])]);
    await until('it may go', async () => (await deleteNamespace(own)).status === 200);
  });
});
