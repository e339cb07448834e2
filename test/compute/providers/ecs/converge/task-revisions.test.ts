import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import type { DesiredService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { tagList } from '../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import {
  deregisterUnused,
  ensureRevision,
} from '../../../../../src/compute/providers/ecs/converge/task-revisions.ts';
import { containerSpec, settings, tenantSpec } from '../ecs-fixture.ts';
import { baseArn, memoryEcs, writesOf } from '../memory-ecs.ts';
import type { MemoryEcs } from '../memory-ecs.ts';
import { anyConsent } from '../../../permits.ts';

const signal = new AbortController().signal;
const { ownership } = settings();
const scope = { region: 'us-west-2' };
const desired = (image = 'app:1'): DesiredService & Required<Pick<DesiredService, 'overlay'>> => {
  const { overlay, ...rest } = desireService(
    tenantSpec({}, { containers: [containerSpec('app', { image })] }),
    settings(),
  );
  if (overlay === undefined) throw new Error('no overlay');
  return { ...rest, overlay };
};
const wanted = (image?: string) => {
  const { overlay, ownerTags, ...tenant } = desired(image);
  return { scope, overlay, tenant, ownerTags, admit: () => undefined };
};
const ensure = (ecs: MemoryEcs, image?: string) => ensureRevision(ecs, ownership, wanted(image), signal);
const callsOf = (ecs: MemoryEcs) => ecs.calls.splice(0).map(({ name, input }) => [name, input]);
const { family } = desired().overlay;
const arnOf = (revision: number) => baseArn.replace('tenant-app:12', `${family}:${revision}`);

/** Revisions of the tenant's, one for each image, of whose tags some may be taken away. */
async function registered(...images: string[]): Promise<MemoryEcs> {
  const ecs = memoryEcs();
  for (const image of images) await ensure(ecs, image);
  ecs.calls.length = 0;
  return ecs;
}

describe('a revision of an overlay', () => {
  test('is registered over the base, in the tenant’s family, where there is none', async () => {
    const ecs = memoryEcs();
    expect(await ensure(ecs)).toBe(arnOf(1));
    expect(callsOf(ecs)).toEqual([
      ['listTaskDefinitions', family],
      ['describeTaskDefinition', baseArn],
      ['registerTaskDefinition', expect.objectContaining({ family })],
    ]);
    expect(ecs.taskDefinitions.get(arnOf(1))?.tags).toEqual(
      tagList({ ...desired().ownerTags, 'landlord.overlay_hash': desired().overlay.hash }),
    );
  });

  test('that was registered before is found among the newest three', async () => {
    const ecs = await registered('app:1', 'app:2', 'app:3');
    expect(await ensure(ecs, 'app:1')).toBe(arnOf(1));
    expect(callsOf(ecs)).toEqual([
      ['listTaskDefinitions', family],
      ['describeTaskDefinition', baseArn],
      ...[3, 2, 1].map((revision) => ['describeTaskDefinition', arnOf(revision)]),
    ]);
    await ensure(ecs, 'app:4');
    ecs.calls.length = 0;
    expect(await ensure(ecs, 'app:1')).toBe(arnOf(5));
    expect(writesOf(ecs)).toEqual(['registerTaskDefinition']);
  });

  test('that was registered before is refused where its base is none to overlay by now', async () => {
    const ecs = await registered('app:1');
    for (const one of ecs.taskDefinitions.get(baseArn)?.taskDefinition.containerDefinitions ?? [])
      one.privileged = true;
    await expect(ensure(ecs, 'app:1')).rejects.toMatchObject({ code: 'PolicyDenied' });
  });

  test('that was registered before is found though its base is no more', async () => {
    const ecs = await registered('app:1');
    ecs.taskDefinitions.delete(baseArn);
    expect(await ensure(ecs, 'app:1')).toBe(arnOf(1));
    await expect(ensure(ecs, 'app:2')).rejects.toMatchObject({ code: 'InvalidSpec' });
  });

  test('is looked for past one that went away meanwhile', async () => {
    const ecs = await registered('app:1', 'app:2');
    const forgetful = {
      ...ecs,
      describeTaskDefinition: async (
        ...[place, arn, until]: Parameters<MemoryEcs['describeTaskDefinition']>
      ) => (arn === arnOf(2) ? undefined : ecs.describeTaskDefinition(place, arn, until)),
    };
    expect(await ensureRevision(forgetful, ownership, wanted('app:1'), signal)).toBe(arnOf(1));
  });

  test.each(['owner', 'tenant_namespace', 'tenant_name', 'cluster'])(
    'is refused beside one of another %s',
    async (key) => {
      const ecs = await registered('app:1');
      const tags = ecs.taskDefinitions.get(arnOf(1))?.tags ?? [];
      for (const tag of tags) if (tag.key === `landlord.${key}`) tag.value = 'other';
      await expect(ensure(ecs)).rejects.toMatchObject({
        code: 'ProviderConflict',
        message: expect.stringContaining(`task definition ${family}:1 exists and belongs to`),
      });
    },
  );

  test('without a base is an invalid spec, by its path', async () => {
    const ecs = memoryEcs();
    ecs.taskDefinitions.clear();
    await expect(ensure(ecs)).rejects.toMatchObject({
      code: 'InvalidSpec',
      message: `spec.computeConfig.ecs.task_definition_arn: there is no task definition ${baseArn}`,
    });
  });

  test('that ECS does not name is looked for again', async () => {
    const nameless = { ...memoryEcs(), registerTaskDefinition: async () => ({}) };
    await expect(ensureRevision(nameless, ownership, wanted(), signal)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
    });
  });
});

describe('revisions that nobody uses', () => {
  const deregister = (ecs: MemoryEcs, inUse: number[], most: number) =>
    deregisterUnused(
      ecs,
      ownership,
      {
        scope,
        family,
        tenant: { namespace: 'team-a', name: 'acme' },
        consent: anyConsent,
        inUse: inUse.map((revision) => `${family}:${revision}`),
        most,
      },
      signal,
    );
  const active = (ecs: MemoryEcs) =>
    [...ecs.taskDefinitions.values()].flatMap(({ taskDefinition: { family: of, revision, status } }) =>
      of === family && status === 'ACTIVE' ? [revision] : [],
    );

  test.each<[inUse: number[], most: number, left: number, active: number[]]>([
    [[], 5, 0, []],
    [[], 1, 2, [2, 3]],
    [[], 2, 1, [3]],
    [[1], 1, 1, [1, 3]],
    [[2], 5, 0, [2]],
    [[1, 2, 3], 5, 0, [1, 2, 3]],
    [[], 0, 3, [1, 2, 3]],
  ])('but %j, at most %i: %i are left to do, and there are %j', async (inUse, most, left, rest) => {
    const ecs = await registered('app:1', 'app:2', 'app:3');
    expect(await deregister(ecs, inUse, most)).toBe(left);
    expect(active(ecs)).toEqual(rest);
  });

  test('and that are somebody else’s stay, and are nothing left to do', async () => {
    const ecs = await registered('app:1', 'app:2', 'app:3');
    ecs.taskDefinitions.get(arnOf(1))?.tags.splice(0);
    expect(await deregister(ecs, [], 1)).toBe(1);
    expect(active(ecs)).toEqual([1, 3]);
    expect(await deregister(ecs, [], 5)).toBe(0);
    expect(active(ecs)).toEqual([1]);
  });
});
