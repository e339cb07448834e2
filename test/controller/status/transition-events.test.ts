import { describe, expect, test } from 'vitest';
import type { ConditionStatus, Reason } from '../../../src/api/conditions.ts';
import type { DriftItem, TenantStatus } from '../../../src/api/status.ts';
import { transitionEvents } from '../../../src/controller/status/transition-events.ts';

const status = (
  reason: Reason,
  ready: ConditionStatus,
  generation = 1,
  drift?: DriftItem[],
): TenantStatus => ({
  observedGeneration: generation,
  computeProvider: 'docker',
  conditions: [
    { type: 'Ready', status: ready, reason, message: reason, lastTransitionTime: '2026-01-01T00:00:00Z' },
  ],
  ...(drift === undefined ? {} : { drift }),
});
const item: DriftItem = { path: 'containers.app.state', desired: 'running', actual: 'exited' };

describe('the Events of a transition', () => {
  test.each<[string, TenantStatus | undefined, TenantStatus, DriftItem[], string[]]>([
    ['first Ready', undefined, status('Running', 'True'), [], ['Provisioned']],
    [
      'Ready after provisioning',
      status('Provisioning', 'False'),
      status('Running', 'True'),
      [],
      ['Provisioned'],
    ],
    ['Ready after an update', status('Updating', 'False', 2), status('Running', 'True', 2), [], ['Updated']],
    [
      'Ready at a new generation at once',
      status('Running', 'True', 1),
      status('Running', 'True', 2),
      [],
      ['Updated'],
    ],
    ['nothing new', status('Running', 'True'), status('Running', 'True'), [], []],
    ['well again', status('Unhealthy', 'False'), status('Running', 'True'), [], []],
    ['a failure', status('Running', 'True'), status('ImageUnavailable', 'False'), [], ['ImageUnavailable']],
    ['the same failure again', status('Throttled', 'False'), status('Throttled', 'False'), [], []],
    ['a rollback', status('Updating', 'False'), status('RolledBack', 'False'), [], ['RolledBack']],
    ['a repair', status('Running', 'True'), status('Unhealthy', 'False'), [item], ['Drifted', 'Repaired']],
    [
      'drift that is reported',
      status('Running', 'True'),
      status('Running', 'True', 1, [item]),
      [],
      ['Drifted'],
    ],
    [
      'drift reported already',
      status('Running', 'True', 1, [item]),
      status('Running', 'True', 1, [item]),
      [],
      [],
    ],
    ['suspended', status('Running', 'True'), status('Suspended', 'True'), [], []],
  ])('%s', (_name, before, after, repaired, reasons) => {
    expect(transitionEvents(before, after, { repaired }).map(({ reason }) => reason)).toEqual(reasons);
  });

  test.each<[string, TenantStatus | undefined, TenantStatus, DriftItem[], string[]]>([
    ['Ready under another reason', status('Running', 'True'), status('Suspended', 'True', 2), [], []],
    [
      'well again after a new generation',
      status('Unhealthy', 'False', 1),
      status('Running', 'True', 2),
      [],
      ['Updated'],
    ],
    ['resumed', status('Suspended', 'Unknown', 1), status('Running', 'True', 2), [], ['Updated']],
    [
      'Ready at last after a failure',
      status('ProvisionFailed', 'False'),
      status('Running', 'True'),
      [],
      ['Provisioned'],
    ],
    ['another failure', status('Throttled', 'False'), status('AccessDenied', 'False'), [], ['AccessDenied']],
    ['the first failure', undefined, status('InvalidSpec', 'False'), [], ['InvalidSpec']],
    ['ill', status('Running', 'True'), status('Unhealthy', 'False'), [], ['Unhealthy']],
    [
      'a repair of what was reported',
      status('Running', 'True', 1, [item]),
      status('Running', 'True'),
      [item],
      ['Drifted', 'Repaired'],
    ],
    ['drift that is gone', status('Running', 'True', 1, [item]), status('Running', 'True'), [], []],
    [
      'a repair that ends in a rollback',
      status('Running', 'True'),
      status('RolledBack', 'False'),
      [item],
      ['Drifted', 'Repaired', 'RolledBack'],
    ],
    ['no condition yet', undefined, { observedGeneration: 1 }, [], []],
  ])('%s', (_name, before, after, repaired, reasons) => {
    expect(transitionEvents(before, after, { repaired }).map(({ reason }) => reason)).toEqual(reasons);
  });

  test('say what happened, in words and kinds', () => {
    expect(
      transitionEvents(status('Running', 'True'), status('Running', 'True', 2), { repaired: [item] }),
    ).toEqual([
      {
        type: 'Warning',
        reason: 'Drifted',
        action: 'Observe',
        note: 'containers.app.state is exited, desired is running',
      },
      { type: 'Normal', reason: 'Repaired', action: 'Repair', note: 'containers.app.state is running again' },
      { type: 'Normal', reason: 'Updated', action: 'Update', note: 'runs the new state on docker' },
    ]);
    expect(transitionEvents(undefined, status('Running', 'True'), { repaired: [] })).toEqual([
      { type: 'Normal', reason: 'Provisioned', action: 'Provision', note: 'runs on docker' },
    ]);
    expect(transitionEvents(undefined, status('Throttled', 'False'), { repaired: [] })).toEqual([
      { type: 'Warning', reason: 'Throttled', action: 'Reconcile', note: 'Throttled' },
    ]);
  });
});

describe('other content of the same image', () => {
  const place = { provider: 'docker' };
  const made = (
    imageId: string | undefined,
    over: { image?: string; generation?: number; place?: object } = {},
  ) => ({
    ...status('Running', 'True', over.generation),
    placement: { ...place, ...over.place },
    compute: {
      state: 'running' as const,
      health: 'healthy' as const,
      running: 1,
      desired: 1,
      containers: [
        {
          name: 'app',
          state: 'running' as const,
          ready: true,
          image: over.image ?? 'app:1',
          ...(imageId === undefined ? {} : { imageId }),
        },
      ],
    },
  });
  const events = (before: TenantStatus | undefined, after: TenantStatus) =>
    transitionEvents(before, after, { repaired: [] }).filter(({ reason }) => reason === 'ImageChanged');

  test('is told of, as a warning where nobody has asked for anything', () => {
    const note =
      'made of other content of the same image: container app: app:1 is sha256:b, and was sha256:a';
    const event = { reason: 'ImageChanged', action: 'Observe', note };
    expect(events(made('sha256:a'), made('sha256:b'))).toEqual([{ ...event, type: 'Warning' }]);
    expect(events(made('sha256:a'), made('sha256:b', { generation: 2 }))).toEqual([
      { ...event, type: 'Normal' },
    ]);
  });

  test.each<[string, TenantStatus | undefined, TenantStatus]>([
    ['the same content', made('sha256:a'), made('sha256:a')],
    ['another image', made('sha256:a'), made('sha256:b', { image: 'app:2' })],
    ['another place', made('sha256:a'), made('sha256:b', { place: { tenant: 'other' } })],
    ['content that is not known', made('sha256:a'), made(undefined)],
    ['content that was not known', made(undefined), made('sha256:b')],
    ['the first', undefined, made('sha256:b')],
  ])('is not %s', (_what, before, after) => {
    expect(events(before, after)).toEqual([]);
  });
});
