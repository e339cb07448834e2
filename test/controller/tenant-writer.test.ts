import { describe, expect, test } from 'vitest';
import { apiVersion, finalizer, kind } from '../../src/api/names.ts';
import type { TenantStatus } from '../../src/api/status.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { tenantsResource } from '../../src/controller/kube-resources.ts';
import { createTenantWriter } from '../../src/controller/tenant-writer.ts';
import { isConflict } from '../../src/kube/client/kube-api-error.ts';
import { createReflector } from '../../src/kube/cache/reflector.ts';
import { resource } from '../../src/kube/client/resource.ts';
import { recordingLogger } from '../kube/recording-logger.ts';
import { createMemoryApiserver } from './memory-apiserver.ts';

const signal = new AbortController().signal;
const condition = { type: 'Ready', status: 'True', reason: 'Running', message: 'm' } as const;
const status: TenantStatus = {
  observedGeneration: 1,
  placement: { provider: 'docker' },
  conditions: [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }],
};

/** A Tenant with this status, and one who writes to it while the cache has not seen anything yet. */
async function withTenant(finalizers: string[] = [], written?: TenantStatus) {
  const apiserver = createMemoryApiserver();
  const user = resource<Tenant>(apiserver.clientOf('user'), tenantsResource);
  const metadata = { name: 'acme', namespace: 'team-a', finalizers };
  const created = await user.create({ apiVersion, kind, metadata, spec: { computeProvider: 'docker' } });
  const tenant =
    written === undefined
      ? created
      : await user.mergePatch('acme', 'team-a', { status: written }, { subresource: 'status' });
  const operator = resource<Tenant>(apiserver.clientOf('operator'), tenantsResource);
  const cache = createReflector<Tenant>({ resource: operator, logger: recordingLogger().logger });
  const writer = createTenantWriter(operator, cache);
  const writes = () => apiserver.requests.filter((request) => request.user === 'operator');
  const stored = () => user.get('acme', 'team-a');
  const interfere = () => user.mergePatch('acme', 'team-a', { metadata: { labels: { by: 'others' } } });
  return { apiserver, user, tenant, cache, writer, writes, stored, interfere };
}

describe('the finalizer', () => {
  test('is added behind those of others, and the cache knows at once', async () => {
    const { tenant, cache, writer, stored } = await withTenant(['other']);
    const answer = await writer.addFinalizer(tenant, signal);
    expect(answer.metadata.finalizers).toEqual(['other', finalizer]);
    expect((await stored())?.metadata.finalizers).toEqual(['other', finalizer]);
    expect(cache.get('team-a', 'acme')).toEqual(answer);
  });

  test('is neither added to nor taken from a Tenant that has changed meanwhile', async () => {
    const { tenant, writer, stored, interfere } = await withTenant([finalizer]);
    await interfere();
    await expect(writer.addFinalizer(tenant, signal)).rejects.toSatisfy(isConflict);
    await expect(writer.removeFinalizer(tenant, signal)).rejects.toSatisfy(isConflict);
    expect((await stored())?.metadata.finalizers).toEqual([finalizer]);
  });

  test('goes alone', async () => {
    const { tenant, writer, stored } = await withTenant(['other', finalizer]);
    expect(await writer.removeFinalizer(tenant, signal)).toBe(true);
    expect((await stored())?.metadata.finalizers).toEqual(['other']);
  });

  test('of a Tenant that is gone already goes without an error', async () => {
    const { user, tenant, writer } = await withTenant();
    await user.delete('acme', 'team-a');
    expect(await writer.removeFinalizer(tenant, signal)).toBe(false);
  });
});

describe('the status', () => {
  test('is written as far as it differs, through its subresource', async () => {
    const { tenant, cache, writer, writes, stored } = await withTenant([], status);
    const answer = await writer.writeStatus(tenant, { ...status, observedGeneration: 2 }, signal);
    expect(writes().map(({ method, path, body }) => [method, path, body])).toEqual([
      [
        'PATCH',
        '/apis/landlord.dev/v1alpha1/namespaces/team-a/tenants/acme/status',
        {
          metadata: { resourceVersion: tenant.metadata.resourceVersion },
          status: { observedGeneration: 2 },
        },
      ],
    ]);
    expect((await stored())?.status).toEqual({ ...status, observedGeneration: 2 });
    expect(cache.get('team-a', 'acme')).toEqual(answer);
  });

  test('that is the same is not written', async () => {
    const { tenant, writer, writes } = await withTenant([], status);
    expect(await writer.writeStatus(tenant, { ...status }, signal)).toBe(tenant);
    expect(writes()).toEqual([]);
  });

  test.each<[name: string, next: TenantStatus]>([
    ['a placement', { ...status, placement: { provider: 'ecs' } }],
    ['a placement that goes', { observedGeneration: 1 }],
    ['old places', { ...status, previousPlacements: [{ provider: 'ecs' }] }],
    ['a rejection', { ...status, rejected: { specHash: 'v1:0', reason: 'RolledBack', message: 'm' } }],
  ])('with %s is refused where anybody has written since', async (_name, next) => {
    const { tenant, writer, stored, interfere } = await withTenant([], status);
    await interfere();
    await expect(writer.writeStatus(tenant, next, signal)).rejects.toSatisfy(isConflict);
    expect((await stored())?.status).toEqual(status);
  });

  test('without any of these is written whoever has written since', async () => {
    const { tenant, writer, stored, interfere } = await withTenant([], status);
    await interfere();
    await writer.writeStatus(tenant, { ...status, phase: 'Ready' }, signal);
    expect((await stored())?.status).toEqual({ ...status, phase: 'Ready' });
  });

  test('is not written over and over where somebody writes each time', async () => {
    const { apiserver, user: others, tenant, writer, writes } = await withTenant([], status);
    apiserver.intercept = async ({ user, method }) => {
      const labels = { at: `${writes().length}` };
      if (user === 'operator' && method === 'PATCH')
        await others.mergePatch('acme', 'team-a', { metadata: { labels } });
    };
    const written = writer.writeStatus(tenant, { ...status, phase: 'Ready' }, signal);
    await expect(written).rejects.toSatisfy(isConflict);
    expect(writes().filter(({ method }) => method === 'PATCH')).toHaveLength(3);
  });

  test('of a Tenant that is gone does not land on another one of its name', async () => {
    const { user, tenant, writer, stored } = await withTenant([], status);
    await user.delete('acme', 'team-a');
    await user.create({ apiVersion, kind, metadata: { name: 'acme', namespace: 'team-a' }, spec: {} });
    const written = writer.writeStatus(tenant, { ...status, phase: 'Ready' }, signal);
    await expect(written).rejects.toSatisfy(isConflict);
    expect((await stored())?.status).toBeUndefined();
  });

  test('is not written over a place that somebody else has written since', async () => {
    const { user, tenant, writer, stored } = await withTenant([], status);
    const moved = { status: { placement: { provider: 'ecs' } } };
    await user.mergePatch('acme', 'team-a', moved, { subresource: 'status' });
    const written = writer.writeStatus(tenant, { ...status, phase: 'Ready' }, signal);
    await expect(written).rejects.toSatisfy(isConflict);
    expect((await stored())?.status?.placement).toEqual({ provider: 'ecs' });
  });
});
