import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { tenantSpecSchema } from '../../../src/api/tenant.ts';
import type { Tenant, TenantSpecSchema } from '../../../src/api/tenant.ts';
import { tenantStatus } from '../../../src/api/status.ts';
import { writeStatus } from '../../../src/controller/conclude.ts';
import { keptTenant } from '../../../src/controller/followed/kept-tenant.ts';
import { namespace, startController } from '../controller-fixture.ts';
import { passOver } from '../pass-fixture.ts';
import { block, scriptedProvider } from '../scripted-provider.ts';
import { image, key, statusOf, tenantWith } from '../tenant-fixture.ts';

const copy = <T>(value: T): T => structuredClone(value);

describe('of a Tenant', () => {
  const stored: Tenant = {
    ...tenantWith(statusOf('True', 'Running'), { labels: { a: 'b' }, annotations: { c: 'd' } }, image('a')),
    apiVersion: 'landlord.dev/v1alpha1',
    kind: 'Tenant',
  };

  test('what its next version has as well is kept once', () => {
    const known = keptTenant(stored, undefined);
    const next = copy({ ...stored, metadata: { ...stored.metadata, resourceVersion: '99' } });
    const kept = keptTenant(next, known);
    expect(kept).toEqual(next);
    expect(kept.spec).toBe(known.spec);
    expect(kept.status).toBe(known.status);
    expect(kept.metadata.labels).toBe(known.metadata.labels);
    expect(kept.metadata.annotations).toBe(known.metadata.annotations);
    expect(kept.metadata.finalizers).toBe(known.metadata.finalizers);
  });

  test('what has changed is kept as it is now', () => {
    const { metadata } = stored;
    const next: Tenant = {
      ...copy(stored),
      metadata: { ...metadata, generation: metadata.generation + 1, labels: { a: 'c' } },
      spec: image('b'),
      status: statusOf('False', 'Updating'),
    };
    expect(keptTenant(next, keptTenant(stored, undefined))).toEqual(next);
  });

  test('nothing is taken over by another one of its name', () => {
    const next = copy({ ...stored, metadata: { ...stored.metadata, uid: 'another' }, spec: image('b') });
    expect(keptTenant(next, stored)).toEqual(next);
  });

  test('neither the managed fields nor the copy of its manifest are kept', () => {
    const annotations = { c: 'd', 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const metadata = { ...stored.metadata, annotations, managedFields: [{ manager: 'kubectl' }] };
    expect(keptTenant({ ...stored, metadata }, undefined)).toEqual(stored);
  });
});

test.each<[what: string, other: object, isOne: boolean]>([
  ['is kept once, in the cache', {}, true],
  ['is kept beside what somebody else has made of it meanwhile', { phase: 'Failed' }, false],
])('a status that was written %s', async (_what, other, isOne) => {
  const status = statusOf('True', 'Running');
  const before = tenantWith(undefined);
  const cached: Tenant = { ...before, status: copy({ ...status, ...other }) };
  const pass = passOver({ tenant: before });
  Object.assign(pass.deps, { writer: { writeStatus: async () => cached }, tenantOf: () => cached });
  await writeStatus(pass, status);
  const { lastWrite, soundStatus } = pass.memory;
  expect(lastWrite?.status).toBe(isOne ? cached.status : status);
  expect(soundStatus).toBe(isOne ? cached.status : undefined);
});

/** The controller, with how often a spec and a stored status were parsed. */
async function counted(before?: Awaited<ReturnType<typeof startController>>) {
  const parses = { spec: 0, status: 0 };
  const schema = tenantSpecSchema({ docker: block });
  const safeParse = schema.safeParse.bind(schema);
  const specSchema = {
    safeParse(spec: unknown) {
      parses.spec += 1;
      return safeParse(spec);
    },
  } as unknown as TenantSpecSchema;
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker], {
    specSchema,
    ...(before && { apiserver: before.apiserver }),
  });
  const check = tenantStatus.safeParse.bind(tenantStatus);
  const spy = vi.spyOn(tenantStatus, 'safeParse').mockImplementation((...status) => {
    parses.status += 1;
    return check(...status);
  });
  onTestFinished(() => spy.mockRestore());
  return { fixture, docker, parses };
}

describe('by the schemas goes', () => {
  test('a spec once for each generation, and no status that the operator itself has written', async () => {
    const { fixture, docker, parses } = await counted();
    await fixture.create('acme', image('a'));
    for (let hint = 0; hint < 5; hint += 1) {
      docker.hint(key.split('@')[0]);
      await fixture.pass(1_000);
    }
    await fixture.patch('acme', { metadata: { labels: { any: 'thing' } } });
    const workload = docker.workloads.get(key);
    if (workload !== undefined)
      workload.shows = { compute: { state: 'running', health: 'unhealthy', running: 1, desired: 1 } };
    docker.hint(key.split('@')[0]);
    await fixture.pass(1_000);
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=False/Unhealthy');
    expect(fixture.passes.length).toBeGreaterThanOrEqual(7);
    expect(parses).toEqual({ spec: 1, status: 0 });
    await fixture.patch('acme', { spec: image('b') });
    await fixture.pass(10_000);
    expect(parses).toEqual({ spec: 2, status: 0 });
  });

  test('what somebody else has written into a status, once', async () => {
    const { fixture, docker, parses } = await counted();
    await fixture.create('acme', image('a'));
    await fixture.tenants.mergePatch(
      'acme',
      namespace,
      { status: { phase: 'Failed' } },
      { subresource: 'status' },
    );
    await fixture.pass(1_000);
    docker.hint(key.split('@')[0]);
    await fixture.pass(1_000);
    expect((await fixture.get('acme')).status?.phase).toBe('Ready');
    expect(parses).toEqual({ spec: 1, status: 1 });
  });
});
