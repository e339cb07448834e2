import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiVersion, finalizer, kind } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { secretsResource, tenantsResource } from '../../src/controller/kube-resources.ts';
import type { SecretObject } from '../../src/controller/sources/source.ts';
import { isApiError, isConflict, isNotFound, isNotServed } from '../../src/kube/client/kube-api-error.ts';
import type { KubeClient } from '../../src/kube/client/kube-client.ts';
import type { ResourceType } from '../../src/kube/client/resource-paths.ts';
import { resource } from '../../src/kube/client/resource.ts';
import type { WatchEvent } from '../../src/kube/client/resource.ts';

/** What the controller relies on in an apiserver. The one in memory is held to it as the real one is. */

export interface ApiserverHarness {
  readonly client: KubeClient;
  /** A namespace of the tests' own, which exists. */
  readonly namespace: string;
  close(): Promise<void>;
}

const other = 'landlord.test/other';

export function describeApiserverContract(name: string, makeHarness: () => Promise<ApiserverHarness>): void {
  describe(`${name} is what the controller takes an apiserver for:`, () => {
    let harness: ApiserverHarness;
    beforeAll(async () => {
      harness = await makeHarness();
    });
    afterAll(() => harness.close());

    const tenants = () => resource<Tenant>(harness.client, tenantsResource);
    const create = (tenant: string, metadata: Partial<Tenant['metadata']> = {}): Promise<Tenant> =>
      tenants().create({
        apiVersion,
        kind,
        metadata: { ...metadata, name: tenant, namespace: harness.namespace },
        spec: { computeProvider: 'mock' },
      });
    const get = (tenant: string) => tenants().get(tenant, harness.namespace);
    const patch = (tenant: string, body: unknown) => tenants().mergePatch(tenant, harness.namespace, body);
    const patchStatus = (tenant: string, body: unknown) =>
      tenants().mergePatch(tenant, harness.namespace, body, { subresource: 'status' });
    const remove = (tenant: string) => tenants().delete(tenant, harness.namespace);

    test('a new object gets an identity, a version and its first generation', async () => {
      const { metadata } = await create('new');
      expect(metadata).toMatchObject({ name: 'new', namespace: harness.namespace, generation: 1 });
      expect(metadata.uid).toEqual(expect.any(String));
      expect(metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
      expect(metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      await expect(create('new')).rejects.toSatisfy(
        (error) => isConflict(error) && (error as { reason?: string }).reason === 'AlreadyExists',
      );
    });

    test('the generation counts changes of the spec, the version all changes, and what changes nothing is none', async () => {
      const first = await create('counted');
      const labelled = await patch('counted', { metadata: { labels: { a: '1' } } });
      expect(labelled.metadata.generation).toBe(1);
      expect(labelled.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
      const same = await patch('counted', { metadata: { labels: { a: '1' } } });
      expect(same.metadata.resourceVersion).toBe(labelled.metadata.resourceVersion);
      const changed = await patch('counted', { spec: { computeProvider: 'docker' } });
      expect(changed.metadata.generation).toBe(2);
      const unlabelled = await patch('counted', { metadata: { labels: { a: null } } });
      expect(unlabelled.metadata.labels ?? {}).toEqual({});
    });

    test('the status is written through its subresource alone, and nothing else through that', async () => {
      await create('parted');
      await patch('parted', { status: { observedGeneration: 7 } });
      expect((await get('parted'))?.status?.observedGeneration).not.toBe(7);
      const spec = { computeProvider: 'docker' };
      const written = await patchStatus('parted', { spec, status: { observedGeneration: 1 } });
      expect(written.status?.observedGeneration).toBe(1);
      expect(written.metadata.generation).toBe(1);
      expect((await patch('parted', { metadata: { labels: { a: '1' } } })).status?.observedGeneration).toBe(
        1,
      );
    });

    test('a patch with a version or a UID is refused where that is another by now, of the status by the version alone', async () => {
      const { metadata } = await create('guarded');
      const { uid, resourceVersion } = metadata;
      const status = { observedGeneration: 1 };
      await patch('guarded', { metadata: { labels: { a: '1' } } });
      await expect(patch('guarded', { metadata: { resourceVersion, labels: { a: '2' } } })).rejects.toSatisfy(
        isConflict,
      );
      await expect(patchStatus('guarded', { metadata: { uid, resourceVersion }, status })).rejects.toSatisfy(
        isConflict,
      );
      await expect(patch('guarded', { metadata: { uid: 'other', labels: { a: '2' } } })).rejects.toSatisfy(
        (error) => isApiError(error, 422),
      );
      await expect(
        patch('guarded', { metadata: { uid: 'other', resourceVersion, labels: { a: '2' } } }),
      ).rejects.toSatisfy(isConflict);
      // The status has no metadata of its own: another UID alone is not looked at.
      expect((await patchStatus('guarded', { metadata: { uid: 'other' }, status })).status).toMatchObject(
        status,
      );
    });

    test('what has no finalizer is gone at once, and not found then', async () => {
      await create('light');
      expect(await remove('light')).toBe(true);
      expect(await get('light')).toBeUndefined();
      expect(await remove('light')).toBe(false);
      await expect(patch('light', { metadata: { labels: { a: '1' } } })).rejects.toSatisfy(isNotFound);
    });

    test('what has finalizers is marked once, takes no more of them, and goes with the last', async () => {
      await create('held', { finalizers: [other, finalizer] });
      await remove('held');
      const marked = await get('held');
      expect(marked?.metadata).toMatchObject({ deletionTimestamp: expect.any(String), generation: 2 });
      await remove('held');
      expect((await get('held'))?.metadata.resourceVersion).toBe(marked?.metadata.resourceVersion);
      const finalizers = [other, finalizer, 'landlord.test/late'];
      await expect(patch('held', { metadata: { finalizers } })).rejects.toSatisfy((error) =>
        isApiError(error, 422),
      );
      expect((await patch('held', { metadata: { finalizers: [finalizer] } })).metadata.finalizers).toEqual([
        finalizer,
      ]);
      await patch('held', { metadata: { finalizers: [] } });
      expect(await get('held')).toBeUndefined();
    });

    test('a watch tells the state first, then each change in order, and goes on from where it stood', async () => {
      await create('seen', { finalizers: [other], labels: { watched: 'yes' } });
      const selection = { namespace: harness.namespace, labelSelector: 'watched=yes' };
      const initial = await watch(tenantsResource, { ...selection, sendInitialEvents: true });
      expect(await initial.next()).toBe('ADDED seen');
      const versionAfterState = await initial.untilBookmark();
      await patch('seen', { metadata: { labels: { a: '1' } } });
      await patchStatus('seen', { status: { observedGeneration: 1 } });
      await remove('seen');
      await patch('seen', { metadata: { finalizers: [] } });
      const changes = ['MODIFIED seen', 'MODIFIED seen', 'MODIFIED seen', 'DELETED seen'];
      for (const change of changes) expect(await initial.next()).toBe(change);
      initial.end();
      const later = await watch(tenantsResource, { ...selection, resourceVersion: versionAfterState });
      for (const change of changes) expect(await later.next()).toBe(change);
      later.end();
    });

    test('a watch with a label selector tells who comes and who leaves', async () => {
      await create('gold', { labels: { tier: 'gold' } });
      await create('tin', { labels: { tier: 'tin' } });
      const watched = await watch(tenantsResource, {
        namespace: harness.namespace,
        labelSelector: 'tier=gold',
        sendInitialEvents: true,
      });
      expect(await watched.next()).toBe('ADDED gold');
      await patch('tin', { metadata: { labels: { tier: 'gold' } } });
      await patch('gold', { metadata: { labels: { tier: 'tin' } } });
      expect([await watched.next(), await watched.next()]).toEqual(['ADDED tin', 'DELETED gold']);
      watched.end();
    });

    test('a list can be of one name, there or not', async () => {
      await create('listed');
      await create('listed-too');
      const namesOf = async (name: string) => {
        const { items } = await tenants().list({
          namespace: harness.namespace,
          fieldSelector: `metadata.name=${name}`,
        });
        return items.map(({ metadata }) => metadata.name);
      };
      expect(await namesOf('listed')).toEqual(['listed']);
      expect(await namesOf('unlisted')).toEqual([]);
    });

    test('what it does not serve is told apart from what is not there', async () => {
      const { client, namespace } = harness;
      const unknown = resource<Tenant>(client, { ...tenantsResource, version: 'v9' });
      const patch = () => unknown.mergePatch('any', namespace, { metadata: { labels: { a: '1' } } });
      const watchAll = () => unknown.watch({ namespace, timeoutSeconds: 60, openTimeoutMs: 30_000 });
      const calls = [() => unknown.get('any', namespace), () => unknown.list(), patch, watchAll];
      for (const call of calls)
        await expect(call()).rejects.toSatisfy((error) => isNotServed(error) && !isNotFound(error));
      await expect(patchStatus('absent', {})).rejects.toSatisfy(isNotFound);
    });

    test('metadata can be had without the values', async () => {
      const { client, namespace } = harness;
      const secrets = resource<SecretObject>(client, secretsResource);
      await secrets.create({ metadata: { name: 'db', namespace }, data: { password: 'aHVudGVyMg==' } });
      const bare = resource<SecretObject>(client, { ...secretsResource, metadataOnly: true });
      const metadata = await bare.get('db', namespace);
      expect(metadata?.metadata.name).toBe('db');
      expect(metadata).not.toHaveProperty('data');
      expect((await secrets.get('db', namespace))?.data).toEqual({ password: 'aHVudGVyMg==' });
    });

    /** Events as `TYPE name`, bookmarks left out but for the one that ends the state. */
    async function watch(type: ResourceType, options: Record<string, unknown>) {
      const stop = new AbortController();
      const stream = await resource<Tenant>(harness.client, type).watch({
        ...options,
        ...(options['sendInitialEvents'] === true ? { resourceVersionMatch: 'NotOlderThan' } : {}),
        timeoutSeconds: 60,
        openTimeoutMs: 30_000,
        signal: stop.signal,
      });
      const events = stream[Symbol.asyncIterator]();
      const nextOf = async (): Promise<WatchEvent<Tenant>> =>
        (await events.next()).value as WatchEvent<Tenant>;
      return {
        async next() {
          for (;;) {
            const event = await nextOf();
            if (event.type !== 'BOOKMARK') return `${event.type} ${event.object.metadata.name}`;
          }
        },
        async untilBookmark() {
          for (;;) {
            const { type: kindOfEvent, object } = await nextOf();
            if (kindOfEvent === 'BOOKMARK') return object.metadata.resourceVersion;
          }
        },
        end: () => stop.abort(new Error('seen enough')),
      };
    }
  });
}
