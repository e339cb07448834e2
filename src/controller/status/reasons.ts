import { findCondition } from '../../api/conditions.ts';
import type { Reason } from '../../api/conditions.ts';
import type { TenantStatus } from '../../api/status.ts';
import { errorPolicies } from '../../compute/errors.ts';
import type { LateReason, TransitionReason, Verdict } from '../pass.ts';

/** The one place that decides which reason the conditions bear, and whether only the user can help. */
export function reasonOf(verdict: Verdict): { readonly reason: Reason; readonly stalled: boolean } {
  switch (verdict.kind) {
    case 'ready':
      return { reason: 'Running', stalled: false };
    case 'progressing':
      return { reason: verdict.reason, stalled: false };
    case 'rolledBack':
      return { reason: verdict.reason, stalled: true };
    case 'unapproved':
      return { reason: 'ApprovalRequired', stalled: true };
    case 'observed':
      return { reason: verdict.isWell ? 'Observed' : 'Unhealthy', stalled: false };
    case 'suspended':
      return { reason: 'Suspended', stalled: false };
    case 'failed':
      return errorPolicies[verdict.error.code];
    case 'deleting':
      return verdict.error === undefined
        ? { reason: 'Deleting', stalled: false }
        : errorPolicies[verdict.error.code];
    default:
      return verdict satisfies never;
  }
}

/** Provisioning until it was Ready for the first time at this place, Updating later. */
export function reasonInTransition(status: TenantStatus | undefined): TransitionReason {
  const ready = findCondition(status?.conditions, 'Ready');
  if (ready === undefined || status?.compute === undefined) return 'Provisioning';
  return ready.reason === 'Provisioning' ? 'Provisioning' : 'Updating';
}

/** What the same is once its time is up. */
export function reasonWhenLate(status: TenantStatus | undefined): LateReason {
  const isFirst = findCondition(status?.conditions, 'Ready')?.reason === 'ProvisionFailed';
  return isFirst || reasonInTransition(status) === 'Provisioning' ? 'ProvisionFailed' : 'UpdateFailed';
}

const progressStart = 'waiting for ';

/** Stands in the status until there is more to say. */
export function progressMessage(reason: TransitionReason): string {
  return reason === 'Provisioning'
    ? `${progressStart}it to run and be healthy`
    : `${progressStart}the new state to run and be healthy`;
}

/** Whether the message says no more than that something is on its way. */
export function isPlainProgress(message: string): boolean {
  return message.startsWith(progressStart);
}
