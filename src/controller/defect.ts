import { ComputeError } from '../compute/errors.ts';
import { KubeApiError, KubeUnreachableError, WriteFencedError } from '../kube/client/kube-api-error.ts';
import { keyOf } from '../kube/client/kube-object.ts';
import type { Outcome, Pass } from './pass.ts';

/** A pass that fails by what no step may throw: the log has it whole, the status no more than its kind. */
export function defect({ deps, tenant, signal }: Pass, error: unknown): Outcome {
  if (signal.aborted || isOfMoment(error)) throw error;
  deps.logger.error(
    { err: error, tenant: keyOf(tenant) },
    'a pass ended in an error that no provider may throw',
  );
  const what =
    error instanceof KubeApiError ? error.message : error instanceof Error ? error.name : typeof error;
  const internal = new ComputeError(
    'InternalError',
    `the operator could not go on (${what}); its log says more, and it is tried again`,
    { cause: error },
  );
  const deleting = {
    kind: 'deleting',
    message: `can't be deleted yet: ${internal.message}`,
    error: internal,
  } as const;
  const isDeleted = tenant.metadata.deletionTimestamp !== undefined;
  return { verdict: isDeleted ? deleting : { kind: 'failed', error: internal }, repaired: [] };
}

/** Whether the apiserver has changed under the pass or does not answer, so that there is nothing to tell and no way to. */
function isOfMoment(error: unknown): boolean {
  if (error instanceof KubeApiError) return [404, 409, 429].includes(error.status) || error.status >= 500;
  return error instanceof KubeUnreachableError || error instanceof WriteFencedError;
}
