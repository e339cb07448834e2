import type { Deployment, Service } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { serviceTags } from '../../../../../src/compute/providers/ecs/state/marks/service-tags.ts';
import { tagList } from '../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import { rolloutOf } from '../../../../../src/compute/providers/ecs/state/rollout.ts';
import { containerSpec, settings, tenantSpec } from '../ecs-fixture.ts';
import { deployment, desired, oldArn, service } from '../observed-fixture.ts';

const primary = (over: Partial<Deployment> = {}): Deployment =>
  deployment({ id: 'ecs-svc/1', taskDefinition: oldArn, ...over });
const older = (over: Partial<Deployment> = {}): Deployment => deployment({ status: 'ACTIVE', ...over });
const marked = [{ key: 'landlord.spec_hash', value: 'v1:another' }];

describe('our own task definition', () => {
  test.each<[what: string, deployments: Deployment[] | undefined]>([
    ['is out', [deployment()]],
    ['is under way', [deployment({ rolloutState: 'IN_PROGRESS' })]],
    ['is out while old tasks run', [deployment(), older()]],
    ['is out where what still runs failed', [deployment(), older({ rolloutState: 'FAILED' })]],
    ['is out where ECS tells no deployments', undefined],
  ])('%s', (_what, deployments) => {
    const seen = rolloutOf(service({ deployments }), desired);
    expect(seen).toEqual({ kind: 'ours', deployment: deployments?.[0] });
  });

  test('failed where its deployment did and the service bears its mark', () => {
    const there = service({
      deployments: [older(), deployment({ rolloutState: 'FAILED', rolloutStateReason: 'why' })],
    });
    expect(rolloutOf(there, desired)).toMatchObject({
      kind: 'failed',
      deployment: { status: 'PRIMARY' },
      taskDefinition: 'tenant-app:12',
      previous: undefined,
      why: 'why',
    });
    expect(rolloutOf({ ...there, tags: marked }, desired).kind).toBe('ours');
  });
});

describe('another task definition', () => {
  const fallen = older({ rolloutState: 'FAILED', rolloutStateReason: 'why' });
  const events = (message: string) => ({ events: [{ message: 'other' }, { message }] });
  test.each<[what: string, over: Partial<Service>, kind: string]>([
    ['ours has FAILED', { deployments: [primary(), fallen] }, 'failed'],
    ['ours has FAILED, under another mark', { deployments: [primary(), fallen], tags: marked }, 'other'],
    [
      'another one has FAILED',
      { deployments: [primary(), older({ rolloutState: 'FAILED', taskDefinition: oldArn })] },
      'other',
    ],
    ['ours still runs', { deployments: [primary(), older()] }, 'other'],
    [
      'the deployment is called a rollback',
      { deployments: [primary({ rolloutStateReason: 'rolling back' })] },
      'failed',
    ],
    ['the breaker is named', { deployments: [primary({ rolloutStateReason: 'circuit breaker' })] }, 'failed'],
    ['an event says so', events('rolled back to deployment ecs-svc/1.'), 'failed'],
    ['an event says so of another', events('rolled back to deployment ecs-svc/7.'), 'other'],
    ['an event names it', events('deployment ecs-svc/1 completed.'), 'other'],
    [
      'ECS does not name the deployment',
      { deployments: [primary({ id: undefined })], ...events('rolled back to undefined') },
      'other',
    ],
    [
      'ECS does not name it and calls it a rollback',
      { deployments: [primary({ id: undefined, rolloutStateReason: 'rolled back' })] },
      'other',
    ],
    ['ECS tells no deployments', { deployments: undefined }, 'other'],
  ])('where %s', (_what, over, kind) => {
    const there = service({ taskDefinition: oldArn, deployments: [primary()], ...over });
    expect(rolloutOf(there, desired).kind).toBe(kind);
  });

  test('is what ECS went back to: both are named, and why', () => {
    const there = service({ taskDefinition: oldArn, deployments: [primary(), fallen] });
    expect(rolloutOf(there, desired)).toEqual({
      kind: 'failed',
      deployment: fallen,
      taskDefinition: 'tenant-app:12',
      previous: 'tenant-app:11',
      why: 'why',
    });
    expect(rolloutOf({ ...there, deployments: [primary()] }, desired)).toEqual({
      kind: 'other',
      deployment: primary(),
    });
  });

  test('after one of the tenant’s own: it is named by the mark', () => {
    const own = desireService(tenantSpec({}, { containers: [containerSpec('app')] }), settings());
    const there = service({
      taskDefinition: oldArn,
      deployments: [primary({ rolloutStateReason: 'rolled back' })],
      tags: tagList(serviceTags(own, 'own:7')),
    });
    expect(rolloutOf(there, own)).toMatchObject({ taskDefinition: 'own:7', previous: 'tenant-app:11' });
  });
});

describe('another network with the same task definition', () => {
  const [good, bad] = ['subnet-1', 'subnet-2'];
  const by = settings({}, { allowed_subnets: [good, bad], allowed_security_groups: ['sg-1'] });
  const wanted = (config: Record<string, unknown>) => desireService(tenantSpec(config), by);
  const on = (subnet: string, securityGroups = ['sg-default']) => ({
    networkConfiguration: { awsvpcConfiguration: { subnets: [subnet], securityGroups } },
  });
  const there = (of: typeof desired, over: Partial<Service>): Service =>
    service({ tags: tagList(serviceTags(of, 'tenant-app:12')), ...over });
  const back = deployment({ rolloutStateReason: 'circuit breaker: rolling back to ecs-svc/0', ...on(good) });
  const fallen = older({ id: 'ecs-svc/9', rolloutState: 'FAILED', runningCount: 0, ...on(bad) });

  test.each<[what: string, over: Partial<Service>, kind: string]>([
    ['is what ECS went back to, where it says so', { deployments: [back] }, 'failed'],
    ['is what ECS went back to, where ours is FAILED', { deployments: [deployment(), fallen] }, 'failed'],
    ['is somebody’s edit, where nothing failed', { deployments: [deployment()] }, 'other'],
    [
      'is somebody’s edit, where another one failed',
      { deployments: [deployment(), { ...fallen, ...on('subnet-3') }] },
      'other',
    ],
  ])('%s', (_what, over, kind) => {
    const of = wanted({ subnets: [bad] });
    expect(rolloutOf(there(of, { ...on(good), ...over }), of).kind).toBe(kind);
  });

  test('of which only the groups differ, that were to be the VPC’s own, is what ECS went back to', () => {
    const of = wanted({ subnets: [good] });
    const seen = there(of, { ...on(good, ['sg-1']), deployments: [{ ...back, ...on(good, ['sg-1']) }] });
    expect(rolloutOf(seen, of).kind).toBe('failed');
    expect(rolloutOf({ ...seen, deployments: [deployment()] }, of).kind).toBe('ours');
  });

  test('on other capacity providers, too', () => {
    const of = wanted({ launch_type: 'FARGATE' });
    const seen = there(of, { launchType: 'EC2', deployments: [back] });
    expect(rolloutOf(seen, of).kind).toBe('failed');
  });
});

test.each([
  ['FAILED', 'failed'],
  ['IN_PROGRESS', 'ours'],
  ['COMPLETED', 'ours'],
] as const)('where nobody knows what is desired, a deployment that is %s is %s', (rolloutState, kind) => {
  const seen = rolloutOf(service({ deployments: [deployment({ rolloutState })] }), undefined);
  expect(seen.kind).toBe(kind);
});
