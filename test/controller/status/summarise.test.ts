import { describe, expect, test } from 'vitest';
import { findCondition } from '../../../src/api/conditions.ts';
import type { ComputeStatusBlock, TenantStatus } from '../../../src/api/status.ts';
import { tenantStatus } from '../../../src/api/status.ts';
import { ComputeError, errorCodes, errorPolicies } from '../../../src/compute/errors.ts';
import { draftFrom } from '../../../src/controller/pass.ts';
import type { StatusDraft, Verdict } from '../../../src/controller/pass.ts';
import { summarise } from '../../../src/controller/status/summarise.ts';

const t0 = new Date('2026-01-01T00:00:00Z');
const t1 = new Date('2026-01-01T00:05:00Z');
const running: ComputeStatusBlock = { state: 'running', health: 'healthy', running: 1, desired: 1 };
const ready: Verdict = { kind: 'ready', message: '1/1 running and healthy' };

function summary(
  verdict: Verdict,
  previous?: TenantStatus,
  draft: Partial<StatusDraft> = {},
  now = t0,
  isScaled = false,
): TenantStatus {
  return summarise({
    previous,
    draft: { ...draftFrom(previous), compute: running, ...draft },
    verdict,
    generation: 3,
    isScaled,
    now,
  });
}

const conditionsOf = (status: TenantStatus) =>
  status.conditions?.map(({ type, status: value, reason }) => `${type}=${value}/${reason}`);

describe('the status', () => {
  test.each<[string, Verdict, string[], string]>([
    ['ready', ready, ['Ready=True/Running'], 'Ready'],
    [
      'ready with an old place to empty',
      { ...ready, pending: 'removing what is left on docker' },
      ['Ready=True/Running', 'Reconciling=True/Updating'],
      'Ready',
    ],
    [
      'under way',
      { kind: 'progressing', reason: 'Provisioning', message: 'm', underWay: true },
      ['Ready=False/Provisioning', 'Reconciling=True/Provisioning'],
      'Provisioning',
    ],
    [
      'ill with nothing to be done',
      { kind: 'progressing', reason: 'Unhealthy', message: 'm', underWay: false },
      ['Ready=False/Unhealthy'],
      'Degraded',
    ],
    [
      'rolled back',
      { kind: 'rolledBack', reason: 'RolledBack', message: 'm' },
      ['Ready=False/RolledBack', 'Stalled=True/RolledBack'],
      'Degraded',
    ],
    [
      'rolled back for want of an image',
      { kind: 'rolledBack', reason: 'ImageUnavailable', message: 'm' },
      ['Ready=False/ImageUnavailable', 'Stalled=True/ImageUnavailable'],
      'Degraded',
    ],
    ['suspended', { kind: 'suspended' }, ['Ready=Unknown/Suspended'], 'Suspended'],
    [
      'deleting',
      { kind: 'deleting', message: 'm' },
      ['Ready=False/Deleting', 'Reconciling=True/Deleting'],
      'Deleting',
    ],
  ])('of one that is %s', (_name, verdict, conditions, phase) => {
    const status = summary(verdict);
    expect(conditionsOf(status)).toEqual(conditions);
    expect(status.phase).toBe(phase);
    expect(tenantStatus.safeParse(status).error).toBeUndefined();
  });

  test.each(errorCodes)(
    'of one that failed with %s bears its reason, and is Stalled only where the user must help',
    (code) => {
      const status = summary({ kind: 'failed', error: new ComputeError(code, 'm') });
      const { reason, stalled } = errorPolicies[code];
      expect(conditionsOf(status)).toEqual([
        `Ready=${code === 'InternalError' ? 'Unknown' : 'False'}/${reason}`,
        `${stalled ? 'Stalled' : 'Reconciling'}=True/${reason}`,
      ]);
      expect(status.retry).toEqual({ since: '2026-01-01T00:00:00Z' });
      expect(status.observedGeneration).toBe(3);
    },
  );

  test('an engine out of reach makes a Ready tenant Unknown, and one that never was stays False', () => {
    const error = new ComputeError('ProviderUnavailable', 'm');
    const wasReady = summary({ kind: 'failed', error }, summary(ready));
    expect(findCondition(wasReady.conditions, 'Ready')?.status).toBe('Unknown');
    const again = summary({ kind: 'failed', error }, wasReady);
    expect(findCondition(again.conditions, 'Ready')?.status).toBe('Unknown');
  });

  test('the same pass later changes nothing at all', () => {
    const drift = [{ path: 'containers.app.limits.memory', desired: '1', actual: '2' }];
    for (const verdict of [ready, { kind: 'failed', error: new ComputeError('Throttled', 'm') } as const]) {
      const first = summary(verdict, undefined, { drift });
      expect(summary(verdict, first, { drift }, t1)).toEqual(first);
    }
  });

  test('transition times move only with the status of their condition and with the compute block', () => {
    const first = summary(ready);
    const sick = summary(
      { kind: 'progressing', reason: 'Unhealthy', message: 'm', underWay: true },
      first,
      { compute: { ...running, health: 'unhealthy' } },
      t1,
    );
    expect(findCondition(sick.conditions, 'Ready')?.lastTransitionTime).toBe('2026-01-01T00:05:00Z');
    expect(sick.compute?.lastTransitionTime).toBe('2026-01-01T00:05:00Z');
    expect(summary(ready, first, {}, t1).compute?.lastTransitionTime).toBe('2026-01-01T00:00:00Z');
  });

  test('a restart count that one look does not know is that of the last look at the same container', () => {
    const block = (id: string, restartCount?: number): ComputeStatusBlock => ({
      ...running,
      containers: [
        {
          name: 'app',
          state: 'running',
          ready: true,
          ...(restartCount === undefined ? {} : { restartCount }),
        },
      ],
      resourceIds: { 'container/app': id },
    });
    const first = summary(ready, undefined, { compute: block('a', 4) });
    expect(summary(ready, first, { compute: block('a') }, t1)).toEqual(first);
    expect(
      summary(ready, first, { compute: block('b') }).compute?.containers?.[0]?.restartCount,
    ).toBeUndefined();
  });

  test('what a container was made of stays in it until one is there again', () => {
    const block = (made: { image?: string; imageId?: string }): ComputeStatusBlock => ({
      ...running,
      containers: [{ name: 'app', state: 'running', ready: true, ...made }],
    });
    const seen = (before: TenantStatus | undefined, made: { image?: string; imageId?: string }) =>
      summary(ready, before, { compute: block(made) });
    const made = (status: TenantStatus) => {
      const { image, imageId } = status.compute?.containers?.[0] ?? {};
      return [image, imageId];
    };
    const first = seen(undefined, { image: 'app:1', imageId: 'sha256:a' });
    const gone = seen(first, {});
    expect(made(gone)).toEqual(['app:1', 'sha256:a']);
    expect(made(seen(gone, { image: 'app:1', imageId: 'sha256:b' }))).toEqual(['app:1', 'sha256:b']);
    expect(made(seen(gone, { image: 'app:2' }))).toEqual(['app:2', undefined]);
    expect(made(seen(undefined, {}))).toEqual([undefined, undefined]);
  });

  test('while suspended is up to date, and Ready keeps its status and the generation that was applied', () => {
    const before = summarise({
      previous: undefined,
      draft: { ...draftFrom(undefined), compute: running },
      verdict: ready,
      generation: 2,
      now: t0,
    });
    const status = summary({ kind: 'suspended' }, before);
    expect(status.observedGeneration).toBe(3);
    expect(findCondition(status.conditions, 'Ready')).toMatchObject({
      status: 'True',
      observedGeneration: 2,
      reason: 'Suspended',
      message: 'spec.suspend is true: nothing is changed until it is false',
    });
  });

  test('drift is shown, bounded, without touching Ready', () => {
    const drift = Array.from({ length: 30 }, (_, index) => ({
      path: `p${index}`,
      desired: 'a',
      actual: 'b',
    }));
    const status = summary(ready, undefined, { drift });
    expect(status.drift).toHaveLength(20);
    expect(conditionsOf(status)).toEqual(['Ready=True/Running', 'Drifted=True/Drifted']);
    expect(findCondition(status.conditions, 'Drifted')?.message).toContain('and 29 more');
    expect(tenantStatus.safeParse(status).error).toBeUndefined();
  });

  test('a message as long as a book is cut, for the CRD would refuse the whole status', () => {
    const status = summary({
      kind: 'failed',
      error: new ComputeError('ProvisionFailed', 'x'.repeat(100_000)),
    });
    expect(tenantStatus.safeParse(status).error).toBeUndefined();
  });

  test('of a deletion that fails bears the reason of its error, and since when', () => {
    const stuck = summary({
      kind: 'deleting',
      message: 'm',
      error: new ComputeError('ProviderNotFound', 'gone'),
    });
    expect(conditionsOf(stuck)).toEqual(['Ready=False/ProviderNotFound', 'Stalled=True/ProviderNotFound']);
    expect(stuck.conditions?.map(({ message }) => message)).toEqual(['m', 'm']);
    expect(stuck.retry).toEqual({ since: '2026-01-01T00:00:00Z' });
    expect(summary({ kind: 'deleting', message: 'm' }).retry).toBeUndefined();
    const busy = summary({
      kind: 'deleting',
      message: 'm',
      error: new ComputeError('DestroyFailed', 'busy'),
    });
    expect(conditionsOf(busy)).toEqual(['Ready=False/DestroyFailed', 'Reconciling=True/DestroyFailed']);
  });

  test('counts failing from its first failure, and forgets it once it works', () => {
    const failed = { kind: 'failed', error: new ComputeError('Throttled', 'm') } as const;
    const first = summary(failed);
    expect(summary(failed, first, {}, t1).retry).toEqual({ since: '2026-01-01T00:00:00Z' });
    expect(summary(ready, first, {}, t1)).not.toHaveProperty('retry');
  });

  test.each<[string, Verdict, Partial<StatusDraft>, string]>([
    [
      'of what runs is Degraded',
      { kind: 'failed', error: new ComputeError('Throttled', 'm') },
      {},
      'Degraded',
    ],
    [
      'of what does not run is Pending',
      { kind: 'failed', error: new ComputeError('Throttled', 'm') },
      { compute: { ...running, running: 0 } },
      'Pending',
    ],
    [
      'of what was never seen is Pending',
      { kind: 'failed', error: new ComputeError('Throttled', 'm') },
      { compute: undefined },
      'Pending',
    ],
    [
      'that only the user can mend is Failed',
      { kind: 'failed', error: new ComputeError('InvalidSpec', 'm') },
      {},
      'Failed',
    ],
    [
      'on the way of an update is Updating',
      { kind: 'progressing', reason: 'Updating', message: 'm', underWay: true },
      {},
      'Updating',
    ],
  ])('the phase %s', (_name, verdict, draft, phase) => {
    expect(summary(verdict, undefined, draft).phase).toBe(phase);
  });

  test('an engine out of reach leaves one that was not Ready False', () => {
    const down = { kind: 'failed', error: new ComputeError('ProviderUnavailable', 'm') } as const;
    const before = summary({ kind: 'progressing', reason: 'Unhealthy', message: 'm', underWay: true });
    expect(findCondition(summary(down, before).conditions, 'Ready')?.status).toBe('False');
  });

  test('without anything known holds nothing but what was concluded', () => {
    const status = summarise({
      previous: undefined,
      draft: draftFrom(undefined),
      verdict: { kind: 'suspended' },
      generation: 3,
      now: t0,
    });
    expect(Object.keys(status)).toEqual(['observedGeneration', 'phase', 'conditions']);
    expect(status.observedGeneration).toBe(3);
    expect(status.conditions?.map(({ observedGeneration }) => observedGeneration)).toEqual([-1]);
  });

  test('names old places while there are any, and the one drift there is', () => {
    const drift = [{ path: 'p', desired: 'a', actual: 'b' }];
    const status = summary(ready, undefined, { previousPlacements: [{ provider: 'ecs' }], drift });
    expect(status.previousPlacements).toEqual([{ provider: 'ecs' }]);
    expect(findCondition(status.conditions, 'Drifted')?.message).toBe('p is b, desired is a');
    expect(summary(ready)).not.toHaveProperty('previousPlacements');
    expect(summary(ready)).not.toHaveProperty('drift');
  });

  test('shows running and desired in one field, for the column of kubectl', () => {
    expect(
      summary(ready, undefined, { compute: { ...running, running: 1, desired: 2 } }).compute?.replicas,
    ).toBe('1/2');
  });

  test('every condition speaks of the generation that was reconciled', () => {
    const { conditions } = summary({ kind: 'rolledBack', reason: 'RolledBack', message: 'm' });
    expect(conditions?.map(({ observedGeneration }) => observedGeneration)).toEqual([3, 3]);
  });
});

describe('what the scale subresource shows', () => {
  const draft = { tenantId: 'team-a-acme', replicas: 2 };

  test('stands in the status while spec.replicas is set, and only then', () => {
    const scaled = summary(ready, undefined, draft, t0, true);
    expect(scaled).toMatchObject({ replicas: 2, selector: 'landlord.dev/tenant-id=team-a-acme' });
    expect(tenantStatus.parse(scaled)).toEqual(scaled);
    const unscaled = summary(ready, scaled, draftFrom(scaled));
    expect(unscaled).not.toHaveProperty('replicas');
    expect(unscaled).not.toHaveProperty('selector');
  });

  test('says nothing of how many run before anybody has looked', () => {
    expect(summary(ready, undefined, { ...draft, replicas: undefined }, t0, true)).not.toHaveProperty(
      'replicas',
    );
  });
});
