import { describe, expect, test } from 'vitest';
import {
  desireDeployment,
  roomNotes,
} from '../../../../../../src/compute/providers/ecs/state/service/deployment.ts';
import type { EcsConfig } from '../../../../../../src/compute/providers/ecs/config.ts';

const percents = (maximum_percent: number, minimum_healthy_percent?: number): EcsConfig =>
  ({ deployment: { maximum_percent, minimum_healthy_percent } }) as EcsConfig;

describe('no room for a rollout', () => {
  test.each<[what: string, config: EcsConfig, count: number | undefined, isTold: boolean]>([
    ['one and a half of one task is one', percents(150), 1, true],
    ['one and a half of two tasks is three', percents(150), 2, false],
    ['one and a fifth of four tasks is four', percents(120), 4, true],
    ['half of one task is one that must run', percents(150, 50), 1, true],
    ['half of two tasks is one that may stop', percents(100, 50), 2, false],
    ['the usual percents', {} as EcsConfig, 1, false],
    ['no task', percents(150), 0, false],
    ['a count that nobody names', percents(150), undefined, false],
  ])('%s', (_what, config, count, isTold) => {
    expect(roomNotes(desireDeployment(config), count)).toHaveLength(isTold ? 1 : 0);
  });

  test('says what is in the way', () => {
    expect(roomNotes(desireDeployment(percents(150)), 1)).toEqual([
      'no rollout can begin: deployment.maximum_percent 150 leaves no room for another one beside the only task, ' +
        'and minimum_healthy_percent 100 stops none',
    ]);
  });
});
