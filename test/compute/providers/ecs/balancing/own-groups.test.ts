import { expect, test, vi } from 'vitest';
import { groupNameOf } from '../../../../../src/compute/providers/ecs/address/target-groups.ts';
import type { EcsReads } from '../../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import { createOwnGroups } from '../../../../../src/compute/providers/ecs/watch/own-groups.ts';
import { clusterArn } from '../memory-ecs.ts';

const never = new AbortController().signal;
const target = (service: string, region = 'us-west-2') => ({
  scope: { region },
  cluster: clusterArn,
  service,
});

function listing(...services: readonly string[]) {
  const found = services.map((service) => ({ name: groupNameOf(target(service), 'any') }));
  return vi.fn<EcsReads['targetGroups']>(async () => found as never);
}

test('all are asked for once in each region, and what is made and removed from then on is known', async () => {
  const targetGroups = listing('left');
  const groups = createOwnGroups({ targetGroups }, true);
  const known = await Promise.all(['left', 'other'].map(async (one) => groups.mayBeAt(target(one), never)));
  expect(known).toEqual([true, false]);
  groups.noteMade(target('other'));
  groups.noteGone(target('left'));
  expect(await groups.mayBeAt(target('other'), never)).toBe(true);
  expect(await groups.mayBeAt(target('left'), never)).toBe(false);
  expect(targetGroups).toHaveBeenCalledTimes(1);
  await groups.mayBeAt(target('left', 'eu-west-1'), never);
  expect(targetGroups).toHaveBeenCalledTimes(2);
});

test('nothing is asked for where nobody may have any', async () => {
  const targetGroups = listing('left');
  const groups = createOwnGroups({ targetGroups }, false);
  expect(await groups.mayBeAt(target('left'), never)).toBe(false);
  groups.noteMade(target('left'));
  expect(await groups.mayBeAt(target('left'), never)).toBe(true);
  expect(targetGroups).not.toHaveBeenCalled();
});

test('what can’t be told holds nobody up, and is asked for again', async () => {
  const targetGroups = listing('left');
  targetGroups.mockRejectedValueOnce(new Error('denied'));
  const groups = createOwnGroups({ targetGroups }, true);
  expect(await groups.mayBeAt(target('left'), never)).toBe(false);
  expect(await groups.mayBeAt(target('left'), never)).toBe(true);
  const aborted = AbortSignal.abort(new Error('stop'));
  const others = createOwnGroups({ targetGroups }, true);
  await expect(others.mayBeAt(target('left'), aborted)).rejects.toThrow('stop');
});
