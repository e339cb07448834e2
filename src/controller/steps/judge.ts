import { reconcileRequestedAt } from '../../api/names.ts';
import type { TenantStatus } from '../../api/status.ts';
import { replicasOf } from '../../api/tenant.ts';
import type { Tenant } from '../../api/tenant.ts';
import type { Desired, Observation, StepResult } from '../../compute/provider.ts';
import type { RollbackReason, Verdict } from '../pass.ts';
import { isHealthy } from '../status/ready.ts';
import { progressMessage, reasonInTransition, reasonWhenLate } from '../status/reasons.ts';
import { wasApplied } from './choose-step.ts';
import type { Step } from './choose-step.ts';

/** What a verdict follows from. */
export interface Judged {
  readonly tenant: Tenant;
  readonly desired: Pick<Desired, 'notes'>;
  readonly step: Step;
  /** What the step came to; undefined: none was taken. */
  readonly result: StepResult | undefined;
  /** As it is now: after the step, where one was taken. */
  readonly observation: Observation;
  /** Why the desired state is not tried. */
  readonly rejected: TenantStatus['rejected'];
}

/** Pure. First hit wins. */
export function judge(judged: Judged): Verdict {
  const row = table.find(({ when }) => when(judged)) ?? otherwise;
  return row.verdict(judged);
}

interface Row {
  readonly when: (judged: Judged) => boolean;
  readonly verdict: (judged: Judged) => Verdict;
}

const otherwise: Row = { when: () => true, verdict: (judged) => progressing(judged, expected(judged)) };

const table: readonly Row[] = [
  { when: ({ rejected }) => rejected !== undefined, verdict: rolledBack },
  { when: isUnderWay, verdict: (judged) => progressing(judged, expected(judged)) },
  {
    when: (judged) => !isPending(judged) && isHealthy(judged.observation.compute, judged.observation.scaling),
    verdict: ready,
  },
  { when: ({ observation }) => observation.overdue !== undefined, verdict: late },
  { when: ({ observation }) => isIll(observation), verdict: (judged) => progressing(judged, 'Unhealthy') },
];

function rolledBack({ rejected, observation }: Judged): Verdict {
  const { reason = 'RolledBack', message = '' } = rejected ?? {};
  return {
    kind: 'rolledBack',
    reason: reason as RollbackReason,
    message: rollbackMessage(message, observation),
  };
}

/** What is kept running is the point of a rejection: that there is nothing must not be left to guess. */
export function rollbackMessage(why: string, { exists }: Pick<Observation, 'exists'>): string {
  if (exists) return why;
  return `${why}. Nothing runs now: change the spec, or ask for another try by the annotation ${reconcileRequestedAt}`;
}

function ready({ tenant, desired, observation: { compute, notes: seen = [] } }: Judged): Verdict {
  const runs =
    replicasOf(tenant) === 0
      ? 'nothing runs, as spec.replicas is 0'
      : `${compute.running}/${compute.desired} running and healthy`;
  return { kind: 'ready', message: [runs, ...(desired.notes ?? []), ...seen].join('; ') };
}

function progressing(judged: Judged, reason: Step['reason']): Verdict {
  const { step, observation } = judged;
  const underWay =
    step.kind !== 'none' || isInTransition(judged) || observation.lookAgainAfterMs !== undefined;
  return { kind: 'progressing', reason, message: messageOf(judged, reason), underWay };
}

/** Whoever rolls it out tries on, and it may come up yet. */
function late({ tenant, observation: { overdue = '' } }: Judged): Verdict {
  return { kind: 'progressing', reason: reasonWhenLate(tenant.status), message: overdue, underWay: true };
}

function isUnderWay({ result }: Judged): boolean {
  return result?.outcome === 'in_progress';
}

/** Whether the step left something to do. What is only reported is none. */
function isPending({ step, observation }: Judged): boolean {
  const reported = new Set(step.reported.map(({ path }) => path));
  return step.kind !== 'none' && observation.changes.some(({ path }) => !reported.has(path));
}

function isIll({ compute: { health, state } }: Observation): boolean {
  return health === 'unhealthy' || state === 'failed';
}

/** Whether a new desired state is coming up without a step of ours. */
function isInTransition({ tenant, step }: Judged): boolean {
  return step.kind === 'none' && !wasApplied(tenant);
}

function expected(judged: Judged): Step['reason'] {
  return isInTransition(judged) ? reasonInTransition(judged.tenant.status) : judged.step.reason;
}

function messageOf({ observation, result }: Judged, reason: Step['reason']): string {
  const { message, compute } = observation;
  const runs = `${compute.running}/${compute.desired} running, state ${compute.state}, health ${compute.health}`;
  // What is being done about it is not what is wrong.
  if (result?.outcome === 'in_progress') {
    return reason === 'Unhealthy' ? `${runs}; ${result.message}` : result.message;
  }
  if (message !== undefined) return message;
  if (reason !== 'Unhealthy') return progressMessage(reason);
  if (compute.state === 'starting') return 'started again; waiting for it to run and be healthy';
  return runs;
}
