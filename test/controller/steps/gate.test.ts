import { describe, expect, test } from 'vitest';
import { effects } from '../../../src/api/status.ts';
import type { Effect } from '../../../src/api/status.ts';
import { allows } from '../../../src/compute/permit.ts';
import type { Change } from '../../../src/compute/provider.ts';
import {
  approvalMessage,
  gate,
  permitToDelete,
  permitToHold,
  permitToLeave,
  permitToProvision,
} from '../../../src/controller/steps/gate.ts';
import type { GateInput } from '../../../src/controller/steps/gate.ts';
import type { Permit } from '../../../src/compute/permit.ts';
import { tenantWith } from '../tenant-fixture.ts';

const change = (effect: Effect, path = 'image', cause: Change['cause'] = 'spec'): Change => ({
  path,
  desired: 'v2',
  actual: 'v1',
  cause,
  effect,
});
const desired = { placement: { provider: 'ecs', cluster: 'c', service: 's' }, specHash: 'v1:abc' };

function gated(over: Partial<GateInput> & { readonly approved?: string } = {}) {
  const { approved, ...rest } = over;
  const annotations = approved === undefined ? {} : { annotations: { 'landlord.dev/approve': approved } };
  return gate({
    tenant: tenantWith(undefined, annotations),
    approval: 'Destructive',
    desired,
    changes: [change('outage')],
    plan: undefined,
    ...rest,
  });
}

function upTo(permit: Permit | undefined): Effect | undefined {
  return permit && effects.toReversed().find((effect) => allows(permit, effect));
}

describe('approval', () => {
  test.each<[approval: GateInput['approval'], effect: Effect, waits: boolean]>([
    ['Destructive', 'live', false],
    ['Destructive', 'replace', false],
    ['Destructive', 'gap', false],
    ['Destructive', 'outage', true],
    ['Destructive', 'data-loss', true],
    ['Always', 'live', true],
    ['Always', 'replace', true],
    ['Always', 'data-loss', true],
    ['Never', 'outage', false],
    ['Never', 'data-loss', false],
  ])('%s of what has the effect %s waits: %s', (approval, effect, waits) => {
    const { permit, plan } = gated({ approval, changes: [change(effect)] });
    expect(permit === undefined).toBe(waits);
    expect(plan?.effect).toBe(waits ? effect : undefined);
  });

  test('Always lets what never ran be started: it was made, and waited for another one', () => {
    const begun = gated({ approval: 'Always', changes: [{ ...change('live', 'state'), begins: true }] });
    expect([upTo(begun.permit), begun.plan]).toEqual(['live', undefined]);
  });

  test('Always lets what stopped be started again, and holds back what somebody else made of it', () => {
    const started = gated({ approval: 'Always', changes: [change('live', 'state', 'drift')] });
    expect(upTo(started.permit)).toBe('live');
    const edited = gated({ approval: 'Always', changes: [change('replace', 'image', 'drift')] });
    expect(edited.permit).toBeUndefined();
  });

  test('never permits more than the worst of what was announced, or a gap', () => {
    expect(upTo(gated({ approval: 'Never', changes: [change('outage'), change('live')] }).permit)).toBe(
      'outage',
    );
    expect(upTo(gated({ approval: 'Never', changes: [change('live')] }).permit)).toBe('gap');
    expect(upTo(gated({ changes: [change('live')] }).permit)).toBe('gap');
  });
});

describe('a plan', () => {
  const plan = gated().plan;

  test('names each change with its effect, worst effect and target, and is approved by its digest', () => {
    expect(plan).toEqual({
      digest: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      target: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      effect: 'outage',
      changes: [{ path: 'image', desired: 'v2', actual: 'v1', effect: 'outage' }],
    });
    expect(upTo(gated({ approved: plan?.digest ?? '' }).permit)).toBe('outage');
  });

  test('has the same digest whenever it is made, in whatever order its changes come', () => {
    const both = [change('outage', 'a'), change('live', 'b')];
    expect(gated({ changes: both }).plan).toEqual(gated({ changes: both.toReversed() }).plan);
    const moved = { ...desired, placement: { service: 's', cluster: 'c', provider: 'ecs' } };
    expect(gated({ desired: moved }).plan).toEqual(plan);
  });

  test.each<[what: string, over: Partial<GateInput>]>([
    ['another desired state', { desired: { ...desired, specHash: 'v1:abd' } }],
    [
      'another place',
      { desired: { ...desired, placement: { provider: 'ecs', cluster: 'c', service: 't' } } },
    ],
    ['another change', { changes: [change('outage'), change('outage', 'b')] }],
    ['another effect', { changes: [change('data-loss')] }],
  ])('is another one, with another digest, for %s: an older approval does nothing', (_what, over) => {
    const other = gated({ ...over, approved: plan?.digest ?? '', plan });
    expect(other.permit).toBeUndefined();
    expect(other.plan?.digest).not.toBe(plan?.digest);
  });

  test('that was approved and is half done is still that plan', () => {
    const full = gated({ changes: [change('outage', 'a'), change('replace', 'b')], approval: 'Always' }).plan;
    const left = [change('replace', 'b'), change('live', 'b.next')];
    const half = gated({ changes: left, approval: 'Always', approved: full?.digest ?? '', plan: full });
    expect(half.plan).toEqual(full);
    expect(upTo(half.permit)).toBe('outage');
    expect(
      gated({ changes: left, approval: 'Always', approved: 'another', plan: full }).permit,
    ).toBeUndefined();
  });

  test('that was approved is asked for once: what it leaves behind goes with it, whatever it is called by then', () => {
    const full = gated({ changes: [change('replace', 'app')], approval: 'Always' }).plan;
    const old = { ...change('replace', 'app_old'), desired: 'absent', ends: true } as const;
    const asked = (left: Change) =>
      gated({ changes: [left], approval: 'Always', approved: full?.digest ?? '', plan: full });
    const rest = asked(old);
    expect([upTo(rest.permit), rest.plan]).toEqual(['replace', full]);
    for (const other of [change('replace', 'app_old'), { ...old, effect: 'gap' } as const]) {
      expect(asked(other).permit).toBeUndefined();
    }
  });

  test('tells of its first 20 changes, and its digest of all', () => {
    const many = Array.from({ length: 25 }, (_, at) => change('outage', `p${at + 10}`));
    const { plan: long } = gated({ changes: many });
    expect(long?.changes).toHaveLength(20);
    expect(gated({ changes: many.slice(0, 24) }).plan?.digest).not.toBe(long?.digest);
  });

  test('says what it would do and the command that approves it', () => {
    if (plan === undefined) throw new Error('no plan');
    expect(approvalMessage(tenantWith(), plan)).toBe(
      'waits for consent, for it ends what runs before its successor is known to be good: image from v1 to v2. ' +
        `To approve: kubectl annotate tenant acme -n team-a landlord.dev/approve=${plan.digest} --overwrite`,
    );
  });
});

test.each<[what: string, permit: Permit, effect: Effect]>([
  ['what is missing is started', permitToProvision(), 'live'],
  ['what ran before is kept', permitToHold(), 'replace'],
  ['a place is left', permitToLeave(), 'replace'],
  ['a Tenant is deleted', permitToDelete(tenantWith()), 'outage'],
  [
    'a Tenant is deleted with its volumes',
    permitToDelete(tenantWith(undefined, {}, { volumePolicy: 'Delete' })),
    'data-loss',
  ],
])('while %s, nothing worse than its effect is done', (_what, permit, effect) => {
  expect(upTo(permit)).toBe(effect);
});
