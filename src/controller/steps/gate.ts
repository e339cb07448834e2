import { createHash } from 'node:crypto';
import { approve } from '../../api/names.ts';
import { statusBounds } from '../../api/status.ts';
import type { Effect, TenantStatus } from '../../api/status.ts';
import type { Tenant, TenantSpec } from '../../api/tenant.ts';
import { isWorse, permitUpTo, worstEffect } from '../../compute/permit.ts';
import type { BeyondConsent, Permit } from '../../compute/permit.ts';
import { placeEntries } from '../../compute/place.ts';
import type { Change, Desired } from '../../compute/provider.ts';
import { fitDrift } from '../status/fit-status.ts';

/** Where consent comes from: the only place that makes permits. */

export type Plan = NonNullable<TenantStatus['plan']>;

export interface GateInput {
  readonly tenant: Tenant;
  readonly approval: TenantSpec['approval'];
  readonly desired: Pick<Desired, 'placement' | 'specHash'>;
  readonly changes: readonly Change[];
  /** status.plan. */
  readonly plan: Plan | undefined;
  /** What a step turned out to need half-way, and was not announced. */
  readonly found?: BeyondConsent;
}

export interface Gate {
  /** Undefined: the plan waits for consent. */
  readonly permit: Permit | undefined;
  /** What waits, or what was approved and is being done. */
  readonly plan?: Plan;
}

/** Turns what differs into consent to mend it, or into a plan that waits for it. Pure. */
export function gate(input: GateInput): Gate {
  const { approval, plan: known } = input;
  const planned = [...input.changes.filter(touchesWhatRuns), ...foundOut(input)];
  const effect = worstEffect(planned.map((change) => change.effect));
  if (!waits(approval, planned, effect)) return { permit: permitUpTo(freelyUpTo(approval, effect)) };
  const approved = input.tenant.metadata.annotations?.[approve];
  const isUnderWay = known !== undefined && known.digest === approved && isRestOf(input, planned, known);
  const plan = isUnderWay ? known : planOf(input, planned, effect);
  return { permit: plan.digest === approved ? permitUpTo(plan.effect) : undefined, plan };
}

/** Stands for what no difference tells of, but a step that was tried. */
const foundPath = 'step';

/** As it was announced once, it stays announced for as long as the plan leads to the same. */
function foundOut(input: GateInput): readonly Change[] {
  const { found, plan: known } = input;
  if (found !== undefined) {
    const { what, effect } = found;
    return [{ path: foundPath, desired: what, actual: 'not announced', cause: 'spec', effect }];
  }
  const announced = known?.target === targetHash(input) ? known.changes : [];
  return announced.filter(isFound).map((one) => ({ ...one, cause: 'spec' }));
}

function isFound({ path }: Pick<Change, 'path'>): boolean {
  return path === foundPath;
}

/** To start what is missing, and to remove what never served: nothing that runs is touched. */
export function permitToProvision(): Permit {
  return permitUpTo('live');
}

/** To keep what ran before a rejected spec: what is left of that spec goes, and what was parked for it comes back. */
export function permitToHold(): Permit {
  return permitUpTo('replace');
}

/** To empty a place whose successor is Ready. Data stays. */
export function permitToLeave(): Permit {
  return permitUpTo('replace');
}

/** Deletion is consent to everything but the loss of data, which `volumePolicy` decides. */
export function permitToDelete(tenant: Tenant): Permit {
  const policy = (tenant.spec as { volumePolicy?: unknown } | undefined)?.volumePolicy;
  return permitUpTo(policy === 'Delete' ? 'data-loss' : 'outage');
}

/** What runs for a Tenant that is gone, where the operator's config asks for its removal. Data stays. */
export function permitToReap(): Permit {
  return permitUpTo('outage');
}

/** Images that nothing is made of and nobody asks for, where the operator's config asks for their removal. */
export function permitToCollectImages(): Permit {
  return permitUpTo('live');
}

/** Starting again what stopped, and live settings put back, are repairs that nobody has to agree to; nor to a first start. */
function touchesWhatRuns({ cause, effect, begins }: Change): boolean {
  return begins !== true && (cause === 'spec' || effect !== 'live');
}

function waits(approval: GateInput['approval'], planned: readonly Change[], effect: Effect): boolean {
  if (approval === 'Never') return false;
  return approval === 'Always' ? planned.length > 0 : isWorse(effect, 'gap');
}

function freelyUpTo(approval: GateInput['approval'], effect: Effect): Effect {
  return approval === 'Always' ? 'live' : worstEffect(['gap', effect]);
}

/** Half-way through what was approved, less of it is left to do: that is no other plan. More, or worse, is. */
function isRestOf(input: GateInput, planned: readonly Change[], known: Plan): boolean {
  const announced = new Map(known.changes.map(({ path, effect }) => [path, effect]));
  return (
    known.target === targetHash(input) &&
    planned.every(({ path, effect, ends }) => {
      const announcedUpTo = ends === true ? known.effect : (announced.get(path) ?? 'live');
      return !isWorse(effect, announcedUpTo);
    })
  );
}

function planOf(input: GateInput, planned: readonly Change[], effect: Effect): Plan {
  const changes = planned
    .map(({ path, desired, actual, effect: own }) => fitDrift({ path, desired, actual, effect: own }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const target = targetHash(input);
  const shown = [...changes.filter(isFound), ...changes.filter((change) => !isFound(change))];
  return {
    digest: shortHash([target, changes]),
    target,
    effect,
    changes: shown.slice(0, statusBounds.drift),
  };
}

function targetHash({ desired: { placement, specHash } }: Pick<GateInput, 'desired'>): string {
  return shortHash([placeEntries(placement), specHash]);
}

/** 64 bits: nobody can choose another plan with the digest of one that was approved without trying for years. */
function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

const effectWords: Readonly<Record<Effect, string>> = {
  live: 'restarts nothing',
  replace: 'replaces what runs once its successor is proven',
  gap: 'stops what runs for a short while',
  outage: 'ends what runs before its successor is known to be good',
  'data-loss': "loses data that can't be had again",
};

/** The condition's message while a plan waits: what it would do, and the command that approves it. */
export function approvalMessage({ metadata: { namespace, name } }: Tenant, plan: Plan): string {
  const what = plan.changes.map(({ path, desired, actual }) =>
    isFound({ path }) ? `${desired}, as it turned out` : `${path} from ${actual} to ${desired}`,
  );
  const more = what.length > 3 ? ` and ${what.length - 3} more` : '';
  return (
    `waits for consent, for it ${effectWords[plan.effect]}: ${what.slice(0, 3).join(', ')}${more}. To approve: ` +
    `kubectl annotate tenant ${name} -n ${namespace} ${approve}=${plan.digest} --overwrite`
  );
}
