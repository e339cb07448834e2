import { expect, test } from 'vitest';
import type { ScalingAnswer } from '../../../../../src/compute/providers/ecs/state/scaling/seen-scaling.ts';
import { scalingDigest } from '../../../../../src/compute/providers/ecs/state/scaling/scaling.ts';
import { createServiceView } from '../../../../../src/compute/providers/ecs/watch/service-view.ts';
import { sweepScalingOnce } from '../../../../../src/compute/providers/ecs/watch/sweep-scaling.ts';
import { clusterArn } from '../memory-ecs.ts';
import { service } from '../observed-fixture.ts';

const never = new AbortController().signal;
const targetOf = (name: string) => ({ scope: { region: 'us-west-2' }, cluster: clusterArn, service: name });
const seen = { min: 1, max: 4, policies: [], foreign: [] };
const mark = `v1:x set=as:${scalingDigest(seen)}`;

const as = (MaxCapacity: number, PolicyName?: string) =>
  ({
    target: { MinCapacity: 1, MaxCapacity },
    policies: PolicyName === undefined ? [] : [{ PolicyName }],
  }) as never;

function watchOver(answers: Readonly<Record<string, ScalingAnswer | Error | undefined>>) {
  const view = createServiceView(() => 0);
  for (const name of ['plain', ...Object.keys(answers)]) {
    const tags = name === 'plain' ? [] : [{ key: 'landlord.spec_hash', value: mark }];
    const one = { ...service(), tags };
    view.store({ target: targetOf(name), tenantId: name, service: one, settled: true }, view.moment());
  }
  const asked: string[] = [];
  const changed: string[] = [];
  const failures: unknown[] = [];
  let duringCall = (): void => undefined;
  const sweep = async (): Promise<void> =>
    sweepScalingOnce(
      {
        view,
        failed: (error) => void failures.push(error),
        api: {
          describeScaling: async ({ service: name }) => {
            asked.push(name);
            duringCall();
            const answer = answers[name];
            if (answer instanceof Error) throw answer;
            return answer as never;
          },
        },
      },
      (tenantId) => void changed.push(tenantId ?? 'any'),
      never,
    );
  return { view, asked, changed, failures, sweep, during: (act: () => void) => void (duringCall = act) };
}

test('asks about those that are marked alone, and tells of those that are not as they were applied', async () => {
  const { sweep, asked, changed, failures } = watchOver({
    same: as(4),
    other: as(9),
    gone: undefined,
    beside: as(4, 'nightly'),
    silent: new Error('silence'),
  });
  await sweep();
  expect(asked.toSorted()).toEqual(['beside', 'gone', 'other', 'same', 'silent']);
  expect(changed.toSorted()).toEqual(['beside', 'gone', 'other']);
  expect(failures).toEqual([new Error('silence')]);
  // What was told is told once.
  changed.length = 0;
  await sweep();
  expect(changed).toEqual([]);
});

test('takes in no answer that may be older than what was done meanwhile', async () => {
  const { sweep, view, changed, during } = watchOver({ other: undefined });
  during(() => view.touch(targetOf('other')));
  await sweep();
  expect(changed).toEqual([]);
  expect(view.scaling(targetOf('other'))).toBeUndefined();
});

test('keeps what it has seen for the next pass', async () => {
  const { sweep, view } = watchOver({ other: as(9) });
  await sweep();
  expect(view.scaling(targetOf('other'))).toEqual({ ...seen, max: 9 });
  view.forget(targetOf('other'));
  expect(view.scaling(targetOf('other'))).toBeUndefined();
});
