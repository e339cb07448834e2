import { describe, expect, test } from 'vitest';
import type { TenantStatus } from '../../../src/api/status.ts';
import type { TenantSpec } from '../../../src/api/tenant.ts';
import type { Change, Observation, StepResult } from '../../../src/compute/provider.ts';
import type { TenantComputeSpec } from '../../../src/compute/spec/tenant-compute-spec.ts';
import { draftFrom } from '../../../src/controller/pass.ts';
import {
  isPlainProgress,
  progressMessage,
  reasonInTransition,
} from '../../../src/controller/status/reasons.ts';
import { repairKind } from '../../../src/controller/steps/choose-step.ts';
import { converge, newsOf } from '../../../src/controller/steps/converge.ts';
import type { News } from '../../../src/controller/steps/converge.ts';
import { changesIn, scriptedProvider } from '../scripted-provider.ts';
import type { ScriptedProviderOptions } from '../scripted-provider.ts';
import { key, running, statusOf, tenantWith } from '../tenant-fixture.ts';

interface Situation extends ScriptedProviderOptions {
  readonly status?: TenantStatus | undefined;
  /** What there is; undefined: nothing. `current` is the spec that is desired. */
  readonly there?: 'current' | 'another' | undefined;
  readonly drift?: readonly Change[];
  readonly shows?: Partial<Observation>;
  /** What the look after the step shows. */
  readonly showsAfter?: Partial<Observation>;
  readonly step?: StepResult;
  readonly driftPolicy?: TenantSpec['driftPolicy'];
  readonly requestedAt?: string;
  /** Where it is not what follows from the rest. */
  readonly news?: News;
  /** What the provider has to say of what it desires. */
  readonly notes?: readonly string[];
  /** Until a repair may be tried. */
  readonly waitMs?: number;
}

const currentHash = 'image=v2';
const stopped: Change = {
  path: 'state',
  desired: 'running',
  actual: 'exited',
  cause: 'drift',
  effect: 'live',
};
const edited: Change = { path: 'network', desired: 'a', actual: 'b', cause: 'drift', effect: 'replace' };
const stoppedItem = { path: 'state', desired: 'running', actual: 'exited' };
const absentItem = { path: 'compute', desired: 'present', actual: 'absent' };
const rollout: Change = { path: 'image', desired: 'v2', actual: 'v1', cause: 'spec', effect: 'replace' };
const inProgress: StepResult = { outcome: 'in_progress', message: 'Pulling v2', lookAgainAfterMs: 700 };
const ill: Partial<Observation> = { compute: { ...running, health: 'unhealthy' } };
const starting: Partial<Observation> = { compute: { ...running, state: 'starting', health: 'unknown' } };

const spec: TenantComputeSpec = {
  tenantId: 'team-a-acme-9201d5e7',
  tenant: { namespace: 'team-a', name: 'acme', uid: '5d6f' },
  containers: [],
  resources: {},
  config: { image: 'v2' },
  imagePullCredentials: [],
};

async function outcomeOf(situation: Situation) {
  const { status, there, drift = [], shows = {}, showsAfter, step, requestedAt, waitMs = 0 } = situation;
  const scripted = scriptedProvider('docker', situation);
  const workload = { specHash: there === 'another' ? 'image=v1' : currentHash, drift: [...drift], shows };
  if (there !== undefined) scripted.workloads.set(key, workload);
  const { provider } = scripted.enabled;
  const askedFor: string[] = [];
  scripted.showsAfterStep = showsAfter;
  if (step !== undefined) scripted.steps.push(step);
  const draft = draftFrom(status);
  const tenant = tenantWith(status);
  const { facts, ...outcome } = await converge({
    tenant,
    driftPolicy: situation.driftPolicy ?? 'Correct',
    approval: 'Destructive',
    desired: { ...provider.desired(spec), ...(situation.notes && { notes: situation.notes }) },
    enabled: scripted.enabled,
    draft,
    requestedAt,
    news: situation.news ?? newsOf({ tenant, draft, requestedAt }, true),
    repairWaitMs: (kind) => {
      askedFor.push(kind);
      return waitMs;
    },
    signal: new AbortController().signal,
  });
  const looks = scripted.calls.filter(({ operation }) => operation === 'getStatus').map(({ what }) => what);
  return { ...outcome, draft: { ...draft, ...facts }, looks, steps: changesIn(scripted.calls), askedFor };
}

const applied = statusOf('True', 'Running');
const fresh = statusOf('True', 'Running', { observedGeneration: 1 });
const provision = [`provision ${key}`];
const update = [`update ${key}`];
const hold = [`hold ${key}`];

describe('the step that is taken', () => {
  test.each<[name: string, situation: Situation, steps: string[]]>([
    ['nothing is there yet', {}, provision],
    ['all is as desired', { status: applied, there: 'current' }, []],
    ['a new spec', { status: fresh, there: 'another' }, update],
    ['a new spec under Report', { status: fresh, there: 'another', driftPolicy: 'Report' }, update],
    ['a new spec of the provider alone', { status: applied, there: 'another' }, update],
    [
      'a spec that never came up, under Report',
      { status: statusOf('False', 'Updating'), there: 'current', drift: [stopped], driftPolicy: 'Report' },
      update,
    ],
    [
      'an edit by other hands in the midst of a rollout, under Report',
      { status: statusOf('False', 'Updating'), there: 'current', drift: [edited], driftPolicy: 'Report' },
      [],
    ],
    [
      'an edit by other hands whose repair has begun, once that is only to be reported',
      {
        status: applied,
        there: 'current',
        drift: [edited],
        shows: { halfway: true },
        driftPolicy: 'Report',
      },
      hold,
    ],
    [
      'an edit by other hands in the midst of a rollout',
      { status: statusOf('False', 'Updating'), there: 'current', drift: [edited] },
      update,
    ],
    ['drift', { status: applied, there: 'current', drift: [stopped] }, update],
    [
      'drift under Report',
      { status: applied, there: 'current', drift: [stopped], driftPolicy: 'Report' },
      [],
    ],
    [
      'a new spec and drift at once, under Report',
      { status: applied, there: 'current', drift: [stopped, rollout], driftPolicy: 'Report' },
      update,
    ],
    ['what ran is gone', { status: applied }, provision],
    ['what ran is gone, under Report', { status: applied, driftPolicy: 'Report' }, []],
    ['what never ran is not there, under Report', { driftPolicy: 'Report' }, provision],
    [
      'a provider that forgets with the process, under Report',
      { status: applied, durable: false, driftPolicy: 'Report' },
      provision,
    ],
    [
      'drift while the engine was out of reach',
      {
        status: statusOf('Unknown', 'ProviderUnavailable'),
        drift: [stopped],
        there: 'current',
        driftPolicy: 'Report',
      },
      [],
    ],
    [
      'drift of what is ill, under Report',
      { status: statusOf('False', 'Unhealthy'), drift: [stopped], there: 'current', driftPolicy: 'Report' },
      [],
    ],
  ])('%s', async (_name, situation, steps) => {
    expect((await outcomeOf(situation)).steps).toEqual(steps);
  });
});

describe('drift', () => {
  const reported = statusOf('True', 'Running', { drift: [stoppedItem] });

  test.each<[name: string, situation: Situation, drift: unknown[], repaired: unknown[]]>([
    ['is told as repaired', { status: applied, there: 'current', drift: [stopped] }, [], [stoppedItem]],
    ['that is gone is told as repaired', { status: applied }, [], [absentItem]],
    [
      'is shown under Report',
      { status: applied, there: 'current', drift: [stopped], driftPolicy: 'Report' },
      [stoppedItem],
      [],
    ],
    ['of what is gone is shown under Report', { status: applied, driftPolicy: 'Report' }, [absentItem], []],
    ['is none once all is as desired', { status: reported, there: 'current' }, [], []],
    [
      'is none against a new spec',
      { status: { ...reported, observedGeneration: 1 }, there: 'another' },
      [],
      [],
    ],
    ['is not what a provider forgot with the process', { status: applied, durable: false }, [], []],
    [
      'is not repaired before its repair is done',
      { status: applied, there: 'current', drift: [stopped], step: inProgress },
      [],
      [],
    ],
    ['is not what a new spec changes', { status: fresh, there: 'another', drift: [stopped] }, [], []],
  ])('%s', async (_name, situation, drift, repaired) => {
    const outcome = await outcomeOf(situation);
    expect({ drift: outcome.draft.drift, repaired: outcome.repaired }).toEqual({ drift, repaired });
  });
});

describe('a look', () => {
  const handled = { ...applied, lastHandledReconcileAt: 'noon' };

  test.each<[name: string, situation: Situation, looks: string[]]>([
    ['may answer from memory where nothing is new', { status: applied, there: 'current' }, [key]],
    ['is fresh for a new generation', { status: fresh, there: 'current' }, [`${key} fresh`]],
    [
      'is fresh where it was asked for',
      { status: applied, there: 'current', requestedAt: 'noon' },
      [`${key} fresh`],
    ],
    ['is fresh once for each request', { status: handled, there: 'current', requestedAt: 'noon' }, [key]],
    ['is fresh after a step', { status: applied }, [key, `${key} fresh`]],
    [
      'is made anew for a new spec',
      { status: applied, there: 'another' },
      [key, `${key} fresh`, `${key} fresh`],
    ],
    [
      'is not made anew where it has asked the engine',
      { status: applied, there: 'another', shows: { fresh: true } },
      [key, `${key} fresh`],
    ],
    ['is made anew for what a first pass finds', { there: 'current', news: 'first' }, [key, `${key} fresh`]],
    ['is not made anew where it finds nothing', { news: 'first' }, [key, `${key} fresh`]],
  ])('%s', async (_name, situation, looks) => {
    expect((await outcomeOf(situation)).looks).toEqual(looks);
  });

  test('goes into the status, and so does the one after the step', async () => {
    const two = { ...running, running: 2, desired: 2 };
    expect(
      (await outcomeOf({ status: applied, there: 'current', shows: { compute: two } })).draft.compute,
    ).toEqual(two);
    expect((await outcomeOf({ status: applied })).draft.compute).toEqual(running);
  });
});

describe('a repair', () => {
  test.each<[name: string, situation: Situation, kind: string]>([
    ['of what stopped', { status: applied, there: 'current', drift: [stopped] }, 'stopped'],
    ['of what is gone', { status: applied }, 'gone'],
  ])('%s waits for its own kind alone', async (_name, situation, kind) => {
    const outcome = await outcomeOf({ ...situation, waitMs: 4000 });
    expect(outcome).toMatchObject({ askedFor: [kind], steps: [], repaired: [], lookAgainAfterMs: 4000 });
    expect(outcome.verdict).toMatchObject({ kind: 'progressing', reason: 'Unhealthy', underWay: true });
  });

  test('that waits leaves time for a look before', async () => {
    const shows = { ...ill, lookAgainAfterMs: 900 };
    const situation = { status: applied, there: 'current', drift: [stopped], shows, waitMs: 4000 } as const;
    expect((await outcomeOf(situation)).lookAgainAfterMs).toBe(900);
  });

  test('is not what a new spec waits for', async () => {
    const outcome = await outcomeOf({ status: fresh, there: 'another', waitMs: 4000 });
    expect(outcome).toMatchObject({ steps: update, askedFor: [] });
  });

  test('is of what is gone where any of it is', () => {
    expect([repairKind([stoppedItem]), repairKind([stoppedItem, absentItem])]).toEqual(['stopped', 'gone']);
  });
});

describe('a spec that was rejected', () => {
  const rejected = { specHash: currentHash, reason: 'ImageUnavailable', message: 'no such image' } as const;
  const status = statusOf('False', 'ImageUnavailable', { rejected });
  const verdict = { kind: 'rolledBack', reason: 'ImageUnavailable', message: 'no such image' };

  test('is not tried again, and the status keeps saying why', async () => {
    const outcome = await outcomeOf({ status, there: 'another', shows: { lookAgainAfterMs: 900 } });
    expect(outcome).toMatchObject({ steps: [], verdict, lookAgainAfterMs: 900, repaired: [] });
    expect(outcome.draft.rejected).toEqual(rejected);
  });

  test.each<[name: string, rest: Partial<Situation>, steps: string[]]>([
    ['what stopped is started', { there: 'another', drift: [stopped] }, hold],
    ['what is as it was is left alone', { there: 'another' }, []],
    ['a repair waits its time', { there: 'another', drift: [stopped], waitMs: 4000 }, []],
    [
      'what the engine shows of the last try changes nothing',
      {
        there: 'another',
        shows: { rolledBack: { reason: 'RolledBack', message: 'the breaker tripped' } },
      },
      [],
    ],
  ])('keeps what ran before it: %s', async (_name, rest, steps) => {
    const outcome = await outcomeOf({ status, ...rest });
    expect(outcome).toMatchObject({ steps, verdict });
    expect(outcome.draft.rejected).toEqual(rejected);
  });

  test('says so where nothing is left of what ran before it, and makes nothing', async () => {
    const message = `no such image. Nothing runs now: change the spec, or ask for another try by the annotation landlord.dev/reconcile-requested-at`;
    const outcome = await outcomeOf({ status });
    expect(outcome).toMatchObject({ steps: [], verdict: { ...verdict, message } });
    expect(outcome.draft.rejected).toEqual(rejected);
  });

  const gone: Change = { path: 'app', desired: 'present', actual: 'absent', cause: 'drift', effect: 'live' };

  test('is followed by what ran before it, where that is gone and known', async () => {
    const outcome = await outcomeOf({
      status,
      there: 'another',
      shows: { exists: false, gone: [gone] },
      showsAfter: {},
    });
    expect(outcome).toMatchObject({ steps: hold, verdict, repaired: [{ path: 'app' }] });
  });

  test('is followed by nothing of what is gone under Report', async () => {
    const shows = { exists: false, gone: [gone] };
    const outcome = await outcomeOf({ status, there: 'another', shows, driftPolicy: 'Report' });
    expect(outcome).toMatchObject({ steps: [], repaired: [] });
  });

  test('is kept by a repair that is told', async () => {
    const outcome = await outcomeOf({ status, there: 'another', drift: [stopped] });
    expect(outcome).toMatchObject({ repaired: [stoppedItem], repair: 'stopped' });
  });

  test('is told of no repair that is not seen, and its next try waits all the same', async () => {
    const drift = [stopped, edited];
    const outcome = await outcomeOf({
      status,
      there: 'another',
      drift,
      showsAfter: { changes: [rollout, edited] },
    });
    expect(outcome).toMatchObject({ steps: hold, repaired: [stoppedItem], repair: 'stopped' });
  });

  test.each<[name: string, rest: Partial<Situation>]>([
    [
      'another one comes',
      { status: statusOf('False', 'RolledBack', { rejected: { ...rejected, specHash: 'v1:0' } }) },
    ],
    ['a reconcile is requested', { requestedAt: 'noon' }],
    [
      'another reconcile is requested',
      {
        status: statusOf('False', 'RolledBack', { rejected: { ...rejected, reconcileRequestedAt: 'dawn' } }),
        requestedAt: 'noon',
      },
    ],
  ])('is forgotten and tried once %s', async (_name, rest) => {
    const outcome = await outcomeOf({ status, there: 'another', ...rest });
    expect(outcome).toMatchObject({ steps: update, verdict: { kind: 'ready' } });
    expect(outcome.draft.rejected).toBeUndefined();
  });

  test('by a request is tried although the engine still shows the last try of it', async () => {
    const rolledBack = { reason: 'RolledBack', message: 'the breaker tripped' } as const;
    const shows = { rolledBack, changes: [rollout] };
    const outcome = await outcomeOf({ status, there: 'current', shows, requestedAt: 'noon', showsAfter: {} });
    expect(outcome).toMatchObject({ steps: update, verdict: { kind: 'ready' } });
  });
});

describe('a rollout that fails', () => {
  test('on the engine itself is rejected without a step', async () => {
    const rolledBack = { reason: 'RolledBack', message: 'the breaker tripped' } as const;
    const outcome = await outcomeOf({
      status: fresh,
      there: 'another',
      shows: { rolledBack },
      requestedAt: 'noon',
    });
    expect(outcome).toMatchObject({
      steps: [],
      repaired: [],
      verdict: { kind: 'rolledBack', ...rolledBack },
    });
    expect(outcome.draft.rejected).toEqual({
      specHash: currentHash,
      ...rolledBack,
      reconcileRequestedAt: 'noon',
    });
  });

  test('in a step is rejected with its reason', async () => {
    const step = { outcome: 'rolled_back', reason: 'ImageUnavailable', message: 'no such image' } as const;
    const outcome = await outcomeOf({ status: fresh, there: 'another', step });
    const why = { reason: 'ImageUnavailable', message: 'no such image' };
    expect(outcome).toMatchObject({ verdict: { kind: 'rolledBack', ...why }, repaired: [] });
    expect(outcome.draft.rejected).toEqual({ specHash: currentHash, ...why });
    expect(Object.keys(outcome.draft.rejected ?? {})).not.toContain('reconcileRequestedAt');
  });

  test('in a step without a reason is RolledBack', async () => {
    const outcome = await outcomeOf({
      status: fresh,
      there: 'another',
      step: { outcome: 'rolled_back', message: 'm' },
    });
    expect(outcome.verdict).toEqual({ kind: 'rolledBack', reason: 'RolledBack', message: 'm' });
  });
});

describe('Ready', () => {
  const counts = (live: number, desired: number, health: 'healthy' | 'unhealthy' | 'unknown' = 'healthy') =>
    ({ compute: { ...running, running: live, desired, health } }) satisfies Partial<Observation>;
  const none = (health: 'healthy' | 'unhealthy' | 'unknown') =>
    ({ compute: { state: 'stopped', health, running: 0, desired: 0 } }) satisfies Partial<Observation>;

  test.each<[name: string, situation: Situation, ready: boolean]>([
    ['all of it runs and is healthy', { shows: counts(2, 2) }, true],
    ['too few run', { shows: counts(1, 2) }, false],
    ['too many run', { shows: counts(3, 2) }, false],
    ['it is not known to be healthy', { shows: counts(1, 1, 'unknown') }, false],
    ['it starts', { shows: { compute: { ...running, state: 'starting' } } }, false],
    ['none is desired and none runs', { shows: none('unknown') }, true],
    ['none is desired, and something is ill', { shows: none('unhealthy') }, false],
    ['its drift is only reported', { drift: [stopped], driftPolicy: 'Report' }, true],
    [
      'its drift is only reported, and what was made to mend it went',
      {
        drift: [edited],
        shows: { halfway: true },
        driftPolicy: 'Report',
        showsAfter: { changes: [edited] },
      },
      true,
    ],
    ['the step is under way', { drift: [stopped], step: inProgress }, false],
    ['the step left something to do', { drift: [stopped], showsAfter: { changes: [rollout] } }, false],
    ['the step mended all', { drift: [stopped], showsAfter: {} }, true],
    ['the step ended in illness', { drift: [stopped], showsAfter: ill }, false],
  ])('%s', async (_name, situation, ready) => {
    const { verdict } = await outcomeOf({ status: applied, there: 'current', ...situation });
    expect(verdict.kind === 'ready').toBe(ready);
  });

  test('says how many run', async () => {
    const { verdict } = await outcomeOf({ status: applied, there: 'current', shows: counts(2, 2) });
    expect(verdict).toEqual({ kind: 'ready', message: '2/2 running and healthy' });
  });

  test('says what the engine has otherwise than the spec', async () => {
    const shows = { notes: ['others’'] };
    const { verdict } = await outcomeOf({
      status: applied,
      there: 'current',
      notes: ['this', 'that'],
      shows,
    });
    expect(verdict).toEqual({ kind: 'ready', message: '1/1 running and healthy; this; that; others’' });
  });

  test('waits under way though what runs is healthy, and says what for', async () => {
    const { verdict, lookAgainAfterMs } = await outcomeOf({
      status: fresh,
      there: 'current',
      shows: { changes: [rollout] },
      step: inProgress,
      showsAfter: {},
    });
    expect(verdict).toEqual({
      kind: 'progressing',
      reason: 'Updating',
      message: 'Pulling v2',
      underWay: true,
    });
    expect(lookAgainAfterMs).toBe(700);
  });
});

describe('what is not Ready', () => {
  test.each<[name: string, situation: Situation, reason: string, underWay: boolean, message: string]>([
    [
      'comes up for the first time',
      { showsAfter: starting },
      'Provisioning',
      true,
      'waiting for it to run and be healthy',
    ],
    [
      'comes up for the first time, and was started before',
      { status: statusOf('False', 'Provisioning'), there: 'current', shows: starting },
      'Provisioning',
      true,
      'waiting for it to run and be healthy',
    ],
    [
      'comes up in a new state',
      { status: fresh, there: 'another', showsAfter: starting },
      'Updating',
      true,
      'waiting for the new state to run and be healthy',
    ],
    [
      'comes up in a new state that took no step',
      { status: fresh, there: 'current', shows: starting },
      'Updating',
      true,
      'waiting for the new state to run and be healthy',
    ],
    [
      'fell ill',
      { status: applied, there: 'current', shows: ill },
      'Unhealthy',
      false,
      '1/1 running, state running, health unhealthy',
    ],
    [
      'fell ill and settles',
      { status: applied, there: 'current', shows: { ...ill, lookAgainAfterMs: 900 } },
      'Unhealthy',
      true,
      '1/1 running, state running, health unhealthy',
    ],
    [
      'fell ill, as the provider puts it',
      { status: applied, there: 'current', shows: { ...ill, message: 'exit code 1' } },
      'Unhealthy',
      false,
      'exit code 1',
    ],
    [
      'was started again',
      { status: applied, there: 'current', drift: [stopped], showsAfter: starting },
      'Unhealthy',
      true,
      'started again; waiting for it to run and be healthy',
    ],
    [
      'is gone, and its image is pulled again',
      {
        status: applied,
        step: inProgress,
        showsAfter: { compute: { state: 'stopped', health: 'unknown', running: 0, desired: 1 } },
      },
      'Unhealthy',
      true,
      '0/1 running, state stopped, health unknown; Pulling v2',
    ],
    [
      'falls ill on the way to a new state',
      { status: fresh, there: 'another', showsAfter: ill },
      'Unhealthy',
      true,
      '1/1 running, state running, health unhealthy',
    ],
    [
      'fails on the way to a new state',
      {
        status: fresh,
        there: 'another',
        showsAfter: { compute: { ...running, state: 'failed', health: 'unknown' } },
      },
      'Unhealthy',
      true,
      '1/1 running, state failed, health unknown',
    ],
    [
      'is ill while a new state is on its way',
      { status: fresh, there: 'another', step: inProgress, shows: ill },
      'Updating',
      true,
      'Pulling v2',
    ],
    [
      'was made anew by a provider that forgets, and starts',
      { status: applied, durable: false, showsAfter: starting },
      'Provisioning',
      true,
      'waiting for it to run and be healthy',
    ],
  ])('%s', async (_name, situation, reason, underWay, message) => {
    const { verdict } = await outcomeOf(situation);
    expect(verdict).toEqual({ kind: 'progressing', reason, underWay, message });
  });

  test('is looked at when the step or the look asks for it, whichever is sooner', async () => {
    const situation = { status: fresh, there: 'another', step: inProgress } as const;
    const again = async (lookAgainAfterMs: number): Promise<number | undefined> =>
      (await outcomeOf({ ...situation, shows: { lookAgainAfterMs } })).lookAgainAfterMs;
    expect([await again(300), await again(5000)]).toEqual([300, 700]);
    expect((await outcomeOf({ status: applied, there: 'current' })).lookAgainAfterMs).toBeUndefined();
  });
});

describe('a state on its way', () => {
  test.each<[name: string, status: TenantStatus | undefined, reason: string]>([
    ['without a status', undefined, 'Provisioning'],
    ['with a placement alone', { observedGeneration: 2, placement: { provider: 'docker' } }, 'Provisioning'],
    ['that was observed, without conditions', { observedGeneration: 2, compute: running }, 'Provisioning'],
    [
      'that was refused at first',
      { ...statusOf('False', 'InvalidSpec'), compute: undefined },
      'Provisioning',
    ],
    ['in its first rollout', statusOf('False', 'Provisioning'), 'Provisioning'],
    ['that was Ready', statusOf('True', 'Running'), 'Updating'],
    ['that failed with something running', statusOf('False', 'Throttled'), 'Updating'],
  ])('%s', (_name, status, reason) => {
    expect(reasonInTransition(status)).toBe(reason);
  });

  test('says no more than that, until there is more to say', () => {
    expect(isPlainProgress(progressMessage('Provisioning'))).toBe(true);
    expect(isPlainProgress(progressMessage('Updating'))).toBe(true);
    expect(isPlainProgress('Pulling v2')).toBe(false);
  });
});

test('a plan that waits for consent is looked at when the next difference falls due', async () => {
  const drift = [{ ...edited, effect: 'outage' as const }];
  const situation = { status: applied, there: 'current' as const, drift, shows: { lookAgainAfterMs: 900 } };
  expect(await outcomeOf(situation)).toMatchObject({
    verdict: { kind: 'unapproved' },
    steps: [],
    lookAgainAfterMs: 900,
  });
});
