import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { kubeRequest } from '../../dev/kube-request.ts';
import type { KubeResponse } from '../../dev/kube-request.ts';
import { tenantCrd } from '../../src/api/crd/crd.ts';
import { tenantSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { specs } from '../security/manifest-arbitrary.ts';
import { badChanges, badManifests, goodManifests, tenant } from './manifests.ts';
import type { Manifest } from './manifests.ts';

/** Nothing is kept but the Tenants of the changes, and nobody watches this namespace. */
const namespace = `manifests-${randomBytes(4).toString('hex')}`;
const tenants = `/apis/landlord.dev/v1alpha1/namespaces/${namespace}/tenants`;
const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenants.landlord.dev';
/** As kubectl asks: unknown and duplicate fields are errors. */
const strictly = 'fieldValidation=Strict&dryRun=All';

const ask = (method: string, path: string, body?: unknown, contentType?: string): Promise<KubeResponse> =>
  kubeRequest(inject('kubeconfigPath'), {
    method,
    path,
    body,
    ...(contentType === undefined ? {} : { contentType }),
  });

const create = (manifest: Manifest): Promise<KubeResponse> => ask('POST', `${tenants}?${strictly}`, manifest);

/** What is compared, so that a failed test shows what the apiserver said. */
function verdict({ status, body }: KubeResponse): { status: number; message: string } {
  return { status, message: String((body as { message?: unknown }).message) };
}

beforeAll(async () => {
  const created = await ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  if (created.status !== 201) throw new Error(verdict(created).message);
});

afterAll(async () => {
  await ask('DELETE', tenants);
  await ask('DELETE', `/api/v1/namespaces/${namespace}`);
});

describe('the apiserver takes', () => {
  test.each(goodManifests)('$what, and stores what zod reads from it', async ({ manifest }) => {
    const response = await create(manifest);
    expect(verdict(response)).toMatchObject({ status: 201 });
    const stored = response.body as Manifest;
    const schema = tenantSchema(tenantBlocks);
    expect(stored.spec).toEqual(schema.parse(manifest).spec);
    expect(schema.parse({ spec: stored.spec }).spec).toEqual(stored.spec);
  });

  test('null for a field with a default, and stores the default', async () => {
    const response = await create(tenant({ suspend: null, deletionPolicy: null }));
    expect(verdict(response)).toMatchObject({ status: 201 });
    expect((response.body as Manifest).spec).toMatchObject({ suspend: false, deletionPolicy: 'Delete' });
  });
});

test('the apiserver takes what the fuzz makes of the CRD, in a sample', async () => {
  const made = fc.sample(specs, { numRuns: 100, seed: 20_260_101 });
  const verdicts = await Promise.all(made.map(async (spec) => verdict(await create(tenant(spec)))));
  expect(verdicts.filter(({ status }) => status !== 201)).toEqual([]);
});

describe('the apiserver refuses, by the CRD alone and naming the field,', () => {
  test.each(badManifests)('$what', async ({ manifest, field }) => {
    const response = await create(manifest);
    // 400: unknown fields; 422: all else.
    expect([400, 422]).toContain(response.status);
    expect(verdict(response).message).toContain(field);
  });

  test.each(badChanges)('$what, as immutable', async ({ before, after }) => {
    const name = `change-${randomBytes(4).toString('hex')}`;
    const created = await ask('POST', tenants, tenant(before, { name }));
    expect(verdict(created)).toMatchObject({ status: 201 });
    const path = `${tenants}/${name}?${strictly}`;
    const changed = await ask('PATCH', path, { spec: after }, 'application/merge-patch+json');
    expect(verdict(changed)).toEqual({
      status: 422,
      message: expect.stringMatching(/spec\.tenantId: .*immutable/),
    });
    const untouched = await ask('PATCH', path, { spec: { suspend: true } }, 'application/merge-patch+json');
    expect(verdict(untouched)).toMatchObject({ status: 200 });
  });
});

test('the apiserver reads the YAML of crds/ as the schemas mean it', async () => {
  const yaml = await readFile(new URL('../../crds/landlord.dev_tenants.yaml', import.meta.url), 'utf8');
  const path = `${definition}?${strictly}&fieldManager=manifests-test&force=true`;
  const response = await ask('PATCH', path, yaml, 'application/apply-patch+yaml');
  expect(verdict(response)).toMatchObject({ status: 200 });
  const { spec } = response.body as ReturnType<typeof tenantCrd>;
  expect(spec.versions[0]?.schema).toEqual(tenantCrd(tenantBlocks).spec.versions[0]?.schema);
});
