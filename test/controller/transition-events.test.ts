import { describe, expect, test } from 'vitest';
import type { ConditionStatus, Reason } from '../../src/api/conditions.ts';
import type { DriftItem, TenantStatus } from '../../src/api/status.ts';
import { transitionEvents } from '../../src/controller/transition-events.ts';

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
    expect(transitionEvents(before, after, repaired).map(({ reason }) => reason)).toEqual(reasons);
  });
});
