import { describe, expect, test } from 'vitest';
import { permitUpTo } from '../../../../src/compute/permit.ts';
import type { EcsConfig } from '../../../../src/compute/providers/ecs/config.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { context, drivenEcs, openPolicy, settings, settled, tenantSpec } from './ecs-fixture.ts';
import { clusterArn, memoryEcs, writesOf } from './memory-ecs.ts';

const signal = new AbortController().signal;
const serviceName = 'shop';
const named = { service_name: serviceName, desired_count: 2 };
const observed: Partial<TenantComputeSpec<EcsConfig>> = { mode: 'Observe' };
const adopting: Partial<TenantComputeSpec<EcsConfig>> = { adopt: true };

interface Rules {
  readonly foreign_services?: readonly string[];
  readonly allow_adopt?: boolean;
}

/** A service that somebody else has made, and a provider that may be allowed to see it. */
async function withService(
  { foreign_services = ['sho*'], allow_adopt = true }: Rules = {},
  over: { readonly tags?: { key: string; value: string }[]; readonly revision?: number } = {},
) {
  const ecs = memoryEcs();
  const { block, policy } = settings({}, { allowed_service_names: [], foreign_services });
  const taskDefinition = ecs.addTaskDefinition({ family: 'tenant-app', revision: over.revision ?? 12 });
  const made = {
    cluster: clusterArn,
    serviceName,
    desiredCount: 2,
    taskDefinition,
    deploymentConfiguration: {
      deploymentCircuitBreaker: { enable: true, rollback: true },
      maximumPercent: 200,
      minimumHealthyPercent: 100,
    },
    ...(over.tags && { tags: over.tags }),
  };
  await ecs.createService({ region: 'us-west-2' }, made, signal);
  ecs.calls.length = 0;
  const commonPolicy = { ...openPolicy, allow_adopt };
  return { ecs, provider: drivenEcs(ecs, block, policy, context({ policy: commonPolicy })) };
}

const tagsOf = (ecs: ReturnType<typeof memoryEcs>) =>
  Object.fromEntries((ecs.service(serviceName)?.tags ?? []).map(({ key = '', value }) => [key, value]));

describe('a service of somebody else that is observed', () => {
  test('is shown as it runs, without its ids and without differences in marks, and nothing is written', async () => {
    const { ecs, provider } = await withService();
    const seen = await settled(provider, tenantSpec(named, observed));
    expect(seen).toMatchObject({
      exists: true,
      changes: [],
      compute: { state: 'running', health: 'healthy', running: 2, desired: 2 },
    });
    expect(seen.compute).not.toHaveProperty('resourceIds');
    expect(writesOf(ecs)).toEqual([]);
  });

  test('is compared with the spec', async () => {
    const { ecs, provider } = await withService();
    const spec = tenantSpec({ ...named, desired_count: 3, tags: { team: 'a' } }, observed);
    const { changes } = await settled(provider, spec);
    expect(changes.map(({ path, actual }) => [path, actual])).toEqual([
      ['desiredCount', '2'],
      ['tags.team', 'none'],
    ]);
    expect(writesOf(ecs)).toEqual([]);
  });

  test("is nobody's to see where the policy does not list it, or where another owner has it", async () => {
    const unlisted = await withService({ foreign_services: [] });
    const spec = tenantSpec(named, observed);
    await expect(unlisted.provider.getStatus(spec, { fresh: true, signal })).rejects.toMatchObject({
      code: 'PolicyDenied',
      message: /allowed_service_names/,
    });
    const tags = [{ key: 'landlord.owner', value: 'another' }];
    const others = await withService({}, { tags });
    await expect(others.provider.getStatus(spec, { fresh: true, signal })).rejects.toMatchObject({
      code: 'ProviderConflict',
      message: /belongs to another instance/,
    });
  });

  test('does not stand in the way of a deletion, which leaves it', async () => {
    const { ecs, provider } = await withService();
    const spec = tenantSpec(named, observed);
    await settled(provider, spec);
    expect(await provider.destroy(spec, signal)).toMatchObject({ outcome: 'gone' });
    expect(writesOf(ecs)).toEqual([]);
  });
});

describe("a service of Landlord's own that is observed", () => {
  test('is no other state by that, nor by what is taken over', async () => {
    const { provider } = await withService();
    const hashOf = (over: Partial<TenantComputeSpec<EcsConfig>>): string =>
      provider.undriven.desired(tenantSpec({}, over)).specHash;
    expect(hashOf(observed)).toBe(hashOf({}));
    expect(hashOf(adopting)).toBe(hashOf({}));
  });

  test('does not differ by its marks', async () => {
    const { provider } = await withService();
    await provider.provision(tenantSpec({ desired_count: 1 }), signal);
    const { changes } = await settled(provider, tenantSpec({ desired_count: 2 }, observed));
    expect(changes.map(({ path }) => path)).toEqual(['desiredCount']);
  });
});

describe('a service of somebody else that is to be taken over', () => {
  test('is in the way of who does not ask for it, and of who may not', async () => {
    const { provider } = await withService();
    const conflict = { code: 'ProviderConflict', message: /was not made by Landlord/ };
    await expect(provider.update(tenantSpec(named), signal)).rejects.toMatchObject(conflict);
    const forbidden = await withService({ allow_adopt: false });
    await expect(forbidden.provider.update(tenantSpec(named, adopting), signal)).rejects.toMatchObject({
      code: 'PolicyDenied',
      message: /policy.allow_adopt/,
    });
  });

  test('is announced as such, and what else differs with the effect that it has', async () => {
    const { ecs, provider } = await withService({}, { revision: 7 });
    const { changes } = await provider.getStatus(tenantSpec(named, adopting), { fresh: true, signal });
    expect(changes.map(({ path, effect, cause }) => [path, effect, cause])).toEqual([
      ['owner', 'live', 'spec'],
      ['taskDefinition', 'replace', 'spec'],
    ]);
    expect(changes[0]?.desired).toBe('the Tenant acme in team-a, with whose deletion it goes');
    expect(writesOf(ecs)).toEqual([]);
  });

  test('gets its tags by the first write, and no deployment where it runs what is wanted', async () => {
    const { ecs, provider } = await withService();
    const before = structuredClone(ecs.service(serviceName)?.deployments);
    const spec = tenantSpec(named, adopting);
    expect(await provider.update(spec, signal)).toMatchObject({
      outcome: 'in_progress',
      message: 'The service shop was taken over, as it runs',
    });
    expect(writesOf(ecs)).toEqual(['tagResource']);
    expect(tagsOf(ecs)).toMatchObject({ 'landlord.tenant_name': 'acme', 'landlord.owner': 'default' });
    await provider.update(spec, signal);
    expect(await settled(provider, spec)).toMatchObject({ changes: [], compute: { health: 'healthy' } });
    expect(writesOf(ecs).filter((call) => call !== 'tagResource')).toEqual([]);
    expect(ecs.service(serviceName)?.deployments?.map(({ id }) => id)).toEqual(before?.map(({ id }) => id));
  });

  test("is the tenant's from then on, and goes with it", async () => {
    const { ecs, provider } = await withService();
    const spec = tenantSpec(named, adopting);
    await provider.update(spec, signal);
    expect(await provider.list(signal)).toMatchObject([{ resource: `service ${serviceName}` }]);
    await provider.destroy(tenantSpec(named), signal);
    expect(writesOf(ecs)).toContain('deleteService');
  });

  test('is left as it is while that waits, and where another owner has it', async () => {
    const { ecs, provider } = await withService();
    expect(await provider.hold(tenantSpec(named, adopting), signal)).toMatchObject({ outcome: 'done' });
    expect(writesOf(ecs)).toEqual([]);
    const tags = [{ key: 'landlord.tenant_name', value: 'other' }];
    const others = await withService({}, { tags });
    await expect(others.provider.update(tenantSpec(named, adopting), signal)).rejects.toMatchObject({
      code: 'ProviderConflict',
    });
    expect(writesOf(others.ecs)).toEqual([]);
  });

  test('is taken by no more than the consent to it', async () => {
    const { ecs, provider } = await withService();
    const desired = provider.undriven.desired(tenantSpec(named, adopting));
    expect(await provider.undriven.update(desired, permitUpTo('live'), signal)).toMatchObject({
      outcome: 'in_progress',
    });
    expect(writesOf(ecs)).toEqual(['tagResource']);
  });
});
