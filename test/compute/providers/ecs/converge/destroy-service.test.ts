import type { Service } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import type { TenantPlace } from '../../../../../src/compute/provider.ts';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { destroyService } from '../../../../../src/compute/providers/ecs/converge/destroy-service.ts';
import {
  countBeforeDrain,
  isToBeDrained,
} from '../../../../../src/compute/providers/ecs/state/marks/drain-mark.ts';
import type { EcsApi } from '../../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import { overlayFamily } from '../../../../../src/compute/providers/ecs/state/task-definition/task-overlay.ts';
import { containerSpec, context, drivenEcs, noGroups, settings, tenantSpec } from '../ecs-fixture.ts';
import { clusterArn, memoryEcs, writes } from '../memory-ecs.ts';
import type { MemoryEcs, MemoryEcsOptions } from '../memory-ecs.ts';
import { anyConsent, anyPermit } from '../../../permits.ts';

const signal = new AbortController().signal;
const operator = settings();
const name = 'landlord-tenant-acme';
const { placement, target } = desireService(tenantSpec(), operator);
const ref: TenantPlace = { tenantId: 'acme', namespace: 'team-a', name: 'acme', placement };
const family = overlayFamily(target);
const drained = tenantSpec({ drain: true, desired_count: 3 });

/** A service that runs `spec`, as somebody may have changed it since. */
async function started(
  spec = tenantSpec(),
  change: Partial<Service> = {},
  options: MemoryEcsOptions = {},
): Promise<MemoryEcs> {
  const ecs = memoryEcs(options);
  await drivenEcs(ecs, operator.block, operator.policy, context()).provision(spec, signal);
  await ecs.describeService(target, 'user', signal);
  Object.assign(ecs.service(name) ?? {}, change);
  ecs.calls.length = 0;
  return ecs;
}

const destroy = (ecs: MemoryEcs, api: Partial<EcsApi> = {}, mayAppear = false, at = ref) =>
  destroyService(
    { api: { ...ecs, ...api }, ownership: operator.ownership, groups: noGroups, mayAppear: () => mayAppear },
    { at, permit: anyPermit },
    signal,
  );
const written = (ecs: MemoryEcs): unknown[] =>
  ecs.calls.flatMap(({ name: call, input }) => (writes.includes(call) ? [[call, input]] : []));
const draining = { outcome: 'in_progress', message: `Draining service ${name}`, lookAgainAfterMs: 3_000 };
const clusterGone = {
  outcome: 'gone',
  message: `the ECS cluster ${clusterArn} is gone, and all services with it`,
};
const none = { outcome: 'gone', message: `there is no service ${name}` };

describe('a service that has lost its owner tags', () => {
  const seen = { service: `arn:aws:ecs:us-west-2:123456789012:service/landlord/${name}` };
  const own = tenantSpec({}, { containers: [containerSpec('app')] });
  const others = [{ key: 'landlord.tenant_name', value: 'zeta' }];

  test.each([
    ['all of them', []],
    ['some of them', [{ key: 'landlord.owner', value: 'default' }]],
  ])('%s, and was seen as the tenant’s, is told and waited for', async (_what, tags) => {
    const ecs = await started(tenantSpec(), { tags });
    await expect(destroy(ecs, {}, false, { ...ref, seen })).rejects.toMatchObject({
      code: 'ProviderConflict',
      message: expect.stringMatching(
        /has lost its owner tags.*Delete it, or tag it landlord\.owner=default /,
      ),
    });
    expect(written(ecs)).toEqual([]);
  });

  test('and drains already is waited for', async () => {
    const ecs = await started(tenantSpec(), {}, { drainsFor: 2 });
    await ecs.deleteService(target, anyConsent, signal);
    Object.assign(ecs.service(name) ?? {}, { tags: [] });
    expect(await destroy(ecs, {}, false, { ...ref, seen })).toEqual(draining);
  });

  test('is deleted where it runs a task definition of the tenant’s own, which bears them', async () => {
    const ecs = await started(own, { tags: [] });
    expect(await destroy(ecs)).toEqual({ outcome: 'gone', message: `service ${name} was deleted` });
    expect(written(ecs)[0]).toEqual(['deleteService', target]);
  });

  test.each([
    ['was never seen as the tenant’s', tenantSpec(), [], undefined],
    ['says that it is somebody else’s', own, others, seen],
    ['was seen at another place', tenantSpec(), [], { service: 'arn:another' }],
  ])('and %s is left alone', async (_what, spec, tags, known) => {
    const ecs = await started(spec, { tags });
    const at = known === undefined ? ref : { ...ref, seen: known };
    expect(await destroy(ecs, {}, false, at)).toMatchObject({ outcome: 'gone' });
    expect(written(ecs)).toEqual([]);
  });
});

describe('a service', () => {
  test('is deleted, and gone where ECS says so at once', async () => {
    const ecs = await started();
    expect(await destroy(ecs)).toEqual({ outcome: 'gone', message: `service ${name} was deleted` });
    expect(written(ecs)).toEqual([['deleteService', target]]);
  });

  test('is deleted once and then waited for', async () => {
    const ecs = await started(tenantSpec(), {}, { drainsFor: 1 });
    expect([await destroy(ecs), await destroy(ecs), await destroy(ecs)]).toEqual([draining, draining, none]);
    expect(written(ecs)).toHaveLength(1);
  });

  test.each<[answer: 'missing' | 'cluster-gone', result: object]>([
    ['missing', { outcome: 'gone', message: `service ${name} was deleted` }],
    ['cluster-gone', clusterGone],
  ])('that is %s by then is gone', async (answer, result) => {
    expect(await destroy(await started(), { deleteService: async () => answer })).toEqual(result);
  });

  test('on a cluster that is gone is gone', async () => {
    expect(await destroy(memoryEcs({ hasCluster: false }))).toEqual(clusterGone);
  });

  test('that may still appear is waited for; one that is no more may not', async () => {
    expect(await destroy(memoryEcs(), {}, true)).toEqual({
      outcome: 'in_progress',
      message: `Waiting to see whether service ${name} appears`,
      lookAgainAfterMs: 2_000,
    });
    expect(await destroy(memoryEcs())).toEqual(none);
    expect(await destroy(await started(tenantSpec(), { status: 'INACTIVE' }), {}, true)).toEqual(none);
  });

  test('of somebody else’s is left alone, and so are task definitions', async () => {
    const ecs = await started(tenantSpec(), { tags: [] });
    expect(await destroy(ecs)).toEqual({ outcome: 'gone', message: `service ${name} is not this tenant's` });
    expect(ecs.calls.map((call) => call.name)).toEqual(['describeService']);
  });

  test('is followed by its task definitions, five at a time', async () => {
    const ecs = memoryEcs();
    const provider = drivenEcs(ecs, operator.block, operator.policy, context());
    for (let version = 1; version <= 7; version += 1) {
      await provider.update(
        tenantSpec({}, { containers: [containerSpec('app', { image: `app:${version}` })] }),
        signal,
      );
    }
    ecs.calls.length = 0;
    expect(await destroy(ecs)).toEqual({
      outcome: 'in_progress',
      message: `Deregistering the task definitions of ${family}`,
      lookAgainAfterMs: 5_000,
    });
    expect(written(ecs).map((call) => (call as unknown[])[0])).toEqual([
      'deleteService',
      ...Array.from({ length: 5 }, () => 'deregisterTaskDefinition'),
    ]);
    expect(await destroy(ecs)).toEqual(none);
  });
});

describe('a drain', () => {
  const tagged = (value: string): Partial<Service> => ({
    tags: [
      ...Object.entries(desireService(drained, operator).ownerTags).map(([key, of]) => ({ key, value: of })),
      { key: 'landlord.drain', value },
    ],
  });
  const scale = ['updateService', { cluster: clusterArn, service: name, desiredCount: 0 }];
  const mark = (count: number) => ['tagResource', [{ key: 'landlord.drain', value: `from ${count}` }]];
  const told = (left: string) => ({
    outcome: 'in_progress',
    message: `Draining service ${name}: ${left}`,
    lookAgainAfterMs: 3_000,
  });

  test.each<[what: string, over: Partial<Service>, result: object, writes: unknown[]]>([
    ['marks, then scales', tagged('true'), told('3 tasks still run'), [mark(3), scale]],
    [
      'marks with what was asked for last',
      { ...tagged('true'), desiredCount: 5 },
      told('3 tasks still run'),
      [mark(5), scale],
    ],
    ['that was marked before scales', tagged('from 3'), told('3 tasks still run'), [scale]],
    ['that was scaled before waits', { ...tagged('from 3'), desiredCount: 0 }, told('3 tasks still run'), []],
    [
      'waits for the last task',
      { ...tagged('from 3'), desiredCount: 0, runningCount: 1 },
      told('1 task still runs'),
      [],
    ],
    [
      'waits for what comes up',
      { ...tagged('from 3'), desiredCount: 0, runningCount: 0, pendingCount: 2 },
      told('2 tasks still run'),
      [],
    ],
    [
      'counts both',
      { ...tagged('from 3'), desiredCount: 0, runningCount: 1, pendingCount: 1 },
      told('2 tasks still run'),
      [],
    ],
    [
      'of what has not come up yet scales',
      { ...tagged('true'), runningCount: 0, pendingCount: undefined },
      told('0 tasks still run'),
      [mark(3), scale],
    ],
    [
      'is over once nothing is left',
      { ...tagged('from 3'), desiredCount: 0, runningCount: 0 },
      draining,
      [['deleteService', target]],
    ],
    [
      'is over where ECS counts nothing',
      { ...tagged('from 3'), desiredCount: undefined, runningCount: undefined, pendingCount: undefined },
      draining,
      [['deleteService', target]],
    ],
    ['is none without a mark', tagged('false'), draining, [['deleteService', target]]],
  ])('%s', async (_what, over, result, calls) => {
    const ecs = await started(drained, over, { drainsFor: 1 });
    // As ECS has it now, without the moment that a look lets pass.
    const api = { describeService: async () => structuredClone(ecs.service(name)) };
    expect(await destroy(ecs, api)).toEqual(result);
    expect(written(ecs)).toEqual(calls);
  });

  test('on a cluster that went away is gone', async () => {
    const ecs = await started(drained);
    expect(await destroy(ecs, { updateService: async () => 'cluster-gone' })).toEqual(clusterGone);
  });

  test.each([
    ['UpdateFailed', 'DestroyFailed', `can't be drained: no`],
    ['InvalidSpec', 'DestroyFailed', `can't be drained: no`],
    ['AccessDenied', 'AccessDenied', 'no'],
    ['Throttled', 'Throttled', 'no'],
  ] as const)('that ends as %s is %s, and nothing is deleted', async (code, end, message) => {
    const ecs = await started(drained);
    const updateService = async () => Promise.reject(new ComputeError(code, 'no'));
    await expect(destroy(ecs, { updateService })).rejects.toMatchObject({ code: end, message });
    expect(ecs.service(name)?.status).toBe('ACTIVE');
  });

  test.each<[value: string | undefined, isWanted: boolean, count: number | undefined]>([
    ['true', true, undefined],
    ['from 7', true, 7],
    ['from 0', true, 0],
    ['from 1234567890', false, undefined],
    ['from -1', false, undefined],
    ['false', false, undefined],
    [undefined, false, undefined],
  ])('whose mark is %j is wanted: %j, from %s tasks', (value, isWanted, count) => {
    const tags: Record<string, string> = value === undefined ? {} : { 'landlord.drain': value };
    expect(isToBeDrained(tags)).toBe(isWanted);
    expect(countBeforeDrain(tags)).toBe(count);
  });
});
