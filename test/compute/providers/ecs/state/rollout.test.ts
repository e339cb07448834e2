import type { Deployment, Service } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { serviceTags } from '../../../../../src/compute/providers/ecs/state/service-tags.ts';
import { tagList } from '../../../../../src/compute/providers/ecs/state/tags.ts';
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

test.each([
  ['FAILED', 'failed'],
  ['IN_PROGRESS', 'ours'],
  ['COMPLETED', 'ours'],
] as const)('where nobody knows what is desired, a deployment that is %s is %s', (rolloutState, kind) => {
  const seen = rolloutOf(service({ deployments: [deployment({ rolloutState })] }), undefined);
  expect(seen.kind).toBe(kind);
});
