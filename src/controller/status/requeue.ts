import type { ComputeError } from '../../compute/errors.ts';
import { errorPolicies } from '../../compute/errors.ts';
import type { ProcessResult } from '../../kube/queue/work-queue.ts';
import type { Outcome } from '../pass.ts';

/** When a tenant is looked at again. */

/** Stalled tenants are looked at again this often all the same: what they lack may have come without an event. */
const stalledRetryMs = 300_000;
/** How often something in transition is looked at where the provider names no time. */
export const transitionLookMs = 10_000;

export function requeue({ verdict, lookAgainAfterMs }: Outcome): ProcessResult {
  switch (verdict.kind) {
    case 'suspended':
      if (verdict.unseen !== undefined) return failure(verdict.unseen);
      return lookAgainAfterMs === undefined ? {} : { requeueAfterMs: lookAgainAfterMs };
    case 'observed':
      return lookAgainAfterMs === undefined ? {} : { requeueAfterMs: lookAgainAfterMs };
    case 'ready':
      // What runs may be due for a look before the place that refuses is.
      if (verdict.refusal !== undefined && lookAgainAfterMs === undefined) return failure(verdict.refusal);
      return lookAgainAfterMs === undefined ? {} : { requeueAfterMs: lookAgainAfterMs };
    case 'progressing':
      return { requeueAfterMs: lookAgainAfterMs ?? transitionLookMs };
    case 'rolledBack':
    case 'unapproved':
      return { requeueAfterMs: Math.min(lookAgainAfterMs ?? stalledRetryMs, stalledRetryMs) };
    case 'failed':
      return failure(verdict.error);
    case 'deleting':
      return verdict.error === undefined
        ? { requeueAfterMs: lookAgainAfterMs ?? transitionLookMs }
        : failure(verdict.error);
    default:
      return verdict satisfies never;
  }
}

/** Without a time of its own, a failure backs off with the queue. */
function failure(error: ComputeError): ProcessResult {
  const { stalled, minRetryMs } = errorPolicies[error.code];
  const waitMs = stalled ? stalledRetryMs : Math.max(minRetryMs, error.retryAfterMs ?? 0);
  const failed = { failed: true, ...(error.code === 'ProviderUnavailable' && { isOutage: true }) };
  // Up to a tenth later, so that a fleet that stalled together does not come back together.
  return waitMs === 0 ? failed : { ...failed, requeueAfterMs: waitMs * (1 + Math.random() / 10) };
}
