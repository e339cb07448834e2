import type { Service } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { createServiceView } from '../../../../../src/compute/providers/ecs/watch/service-view.ts';
import { keptService } from '../../../../../src/compute/providers/ecs/watch/kept.ts';
import { clusterArn } from '../memory-ecs.ts';
import { deployment, service } from '../observed-fixture.ts';

const target = { scope: { region: 'us-west-2' }, cluster: clusterArn, service: 'a' };
const seen = (over: object = {}) => ({
  target,
  tenantId: 'acme',
  service: service(),
  settled: true,
  ...over,
});

function viewAt(): { view: ReturnType<typeof createServiceView>; clock: { ms: number } } {
  const clock = { ms: 1_000 };
  const view = createServiceView(() => clock.ms);
  view.beginSweeps();
  return { view, clock };
}

describe('what is settled', () => {
  test('is the last answer, until something is done to the service', () => {
    const { view } = viewAt();
    expect(view.settled(target)).toBeUndefined();
    const answer = seen();
    view.store(answer, view.moment());
    expect(view.settled(target)?.service).toEqual(keptService(answer.service));
    view.touch(target);
    expect(view.settled(target)).toBeUndefined();
    view.store(answer, view.moment());
    expect(view.settled(target)?.service).toEqual(keptService(answer.service));
  });

  test('is nothing while no sweep goes on, of however many there were', () => {
    const view = createServiceView(() => 0);
    view.store(seen(), view.moment());
    expect(view.settled(target)).toBeUndefined();
    const ends = [view.beginSweeps(), view.beginSweeps()];
    ends[0]?.();
    expect(view.settled(target)).toBeDefined();
    ends[1]?.();
    expect(view.settled(target)).toBeUndefined();
  });

  test('is nothing that is on its way', () => {
    const { view } = viewAt();
    view.store(seen({ settled: false }), view.moment());
    expect(view.settled(target)).toBeUndefined();
    expect(view.last(target)).toBeDefined();
  });

  test('is no answer to a question from before the touch, and a newer answer stays', () => {
    const { view } = viewAt();
    const before = view.moment();
    view.touch(target);
    view.store(seen(), before);
    expect(view.settled(target)).toBeUndefined();
    const newer = seen({ service: service({ desiredCount: 9 }) });
    view.store(newer, view.moment());
    view.store(seen(), before);
    expect(view.settled(target)?.service?.desiredCount).toBe(9);
  });

  test('may be overwritten by an answer of the same moment', () => {
    const { view } = viewAt();
    view.store(seen(), view.moment());
    view.store(seen({ service: undefined }), view.moment());
    expect(view.last(target)).toBeUndefined();
  });

  test('is kept for each region, role, cluster and name', () => {
    const { view } = viewAt();
    view.store(seen(), view.moment());
    const others = [
      { ...target, service: 'b' },
      { ...target, cluster: 'other' },
      { ...target, scope: { region: 'eu-west-1' } },
      { ...target, scope: { region: 'us-west-2', roleArn: 'role' } },
    ];
    expect(others.map((other) => view.settled(other))).toEqual(others.map(() => undefined));
    view.touch({ ...target, service: 'b' });
    expect(view.settled(target)).toBeDefined();
  });
});

describe('a sweep', () => {
  const differs = (before: Service | undefined, after: Service | undefined): boolean => {
    const { view } = viewAt();
    view.store(seen({ service: before }), view.moment());
    return view.sweep({ target, tenantId: 'acme', service: after }, view.moment());
  };

  test.each<[what: string, over: Partial<Service>]>([
    ['the status', { status: 'DRAINING' }],
    ['the task definition', { taskDefinition: 'other:1' }],
    ['the count', { desiredCount: 3 }],
    ['what runs', { runningCount: 1 }],
    ['the launch type', { launchType: 'FARGATE' }],
    ['the network', { networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'] } } }],
    ['the breaker', { deploymentConfiguration: { maximumPercent: 100 } }],
    ['a tag', { tags: [{ key: 'team', value: 'a' }] }],
    ['no tags', { tags: undefined }],
    ['no deployments', { deployments: undefined }],
    ['another deployment', { deployments: [deployment({ id: 'ecs-svc/3' })] }],
    ['a deployment’s status', { deployments: [deployment({ status: 'ACTIVE' })] }],
    ['a deployment’s task definition', { deployments: [deployment({ taskDefinition: 'other:1' })] }],
    ['a deployment’s state', { deployments: [deployment({ rolloutState: 'FAILED' })] }],
    ['a deployment’s tasks', { deployments: [deployment({ runningCount: 1 })] }],
    ['a deployment’s failures', { deployments: [deployment({ failedTasks: 1 })] }],
    ['its end', { status: 'INACTIVE' }],
  ])('tells of %s', (_what, over) => {
    expect(differs(service(), service(over))).toBe(true);
  });

  test.each<[what: string, before: Service | undefined, after: Service | undefined]>([
    ['the same', service(), service()],
    ['events', service(), service({ events: [{ message: 'steady' }] })],
    [
      'the order of tags',
      service({
        tags: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
      }),
      service({
        tags: [
          { key: 'b', value: '2' },
          { key: 'a', value: '1' },
        ],
      }),
    ],
    ['one that was none and is INACTIVE', undefined, service({ status: 'INACTIVE' })],
  ])('does not tell of %s', (_what, before, after) => {
    expect(differs(before, after)).toBe(false);
  });

  test('says nothing of a place that nobody looked at, or that something was done to since it asked', () => {
    const { view } = viewAt();
    const found = { target, tenantId: 'acme', service: service({ desiredCount: 9 }) };
    expect(view.sweep(found, view.moment())).toBe(false);
    expect(view.watched()).toEqual([]);
    view.store(seen(), view.moment());
    const before = view.moment();
    view.touch(target);
    expect(view.sweep(found, before)).toBe(false);
    expect(view.last(target)?.desiredCount).toBe(2);
    view.store(seen(), view.moment());
    expect(view.sweep(found, before)).toBe(false);
    expect(view.sweep(found, view.moment())).toBe(true);
    expect(view.last(target)?.desiredCount).toBe(9);
  });

  test('is told once of each change, and settles what changed, though not what stays unsettled', () => {
    const { view } = viewAt();
    view.store(seen({ settled: false }), view.moment());
    const sweep = (desiredCount: number) =>
      view.sweep({ target, tenantId: 'acme', service: service({ desiredCount }) }, view.moment());
    expect(sweep(2)).toBe(false);
    expect(view.settled(target)).toBeUndefined();
    expect(sweep(9)).toBe(true);
    expect(view.settled(target)?.service?.desiredCount).toBe(9);
    expect(sweep(9)).toBe(false);
    expect(view.settled(target)).toBeDefined();
  });
});

test('a place is watched and found by its cluster and name until it is forgotten', () => {
  const { view } = viewAt();
  view.store(seen(), view.moment());
  expect(view.watched()).toEqual([{ target, tenantId: 'acme' }]);
  expect(view.find(clusterArn, 'a')).toMatchObject({ target, tenantId: 'acme' });
  expect(view.find(clusterArn, 'b')).toBeUndefined();
  expect(view.find('other', 'a')).toBeUndefined();
  view.noteFailure(target);
  view.forget(target);
  expect(view.watched()).toEqual([]);
  expect(view.last(target)).toBeUndefined();
  expect(view.failedWithin(target, 1_000)).toBe(false);
});

test('a service may appear within a minute of its creation, until it was seen', () => {
  const { view, clock } = viewAt();
  expect(view.mayAppear(target)).toBe(false);
  view.noteCreate(target);
  view.store(seen({ service: undefined }), view.moment());
  clock.ms = 60_999;
  expect(view.mayAppear(target)).toBe(true);
  clock.ms = 61_000;
  expect(view.mayAppear(target)).toBe(false);
  view.noteCreate(target);
  view.store(seen(), view.moment());
  expect(view.mayAppear(target)).toBe(false);
});

test('a failure is remembered for as long as is asked', () => {
  const { view, clock } = viewAt();
  expect(view.failedWithin(target, 1_000)).toBe(false);
  view.noteFailure(target);
  clock.ms = 1_999;
  expect(view.failedWithin(target, 1_000)).toBe(true);
  clock.ms = 2_000;
  expect(view.failedWithin(target, 1_000)).toBe(false);
});
