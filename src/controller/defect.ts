import { internalError } from '../compute/errors.ts';
import { KubeApiError, KubeUnreachableError, WriteFencedError } from '../kube/client/kube-api-error.ts';
import type { Outcome, Pass } from './pass.ts';

/** A pass that fails by what no step may throw. */
export function defect({ tenant, signal }: Pass, error: unknown): Outcome {
  if (signal.aborted || isOfMoment(error)) throw error;
  const internal = internalError(kindOf(error), error);
  const isDeleted = tenant.metadata.deletionTimestamp !== undefined;
  if (!isDeleted) return { verdict: { kind: 'failed', error: internal }, repaired: [] };
  const message = `can't be deleted yet: ${internal.message}`;
  return { verdict: { kind: 'deleting', message, error: internal }, repaired: [] };
}

/** The apiserver's words are its users' to read; of anything else, no more than what it is. */
function kindOf(error: unknown): string {
  if (error instanceof KubeApiError) return error.message;
  return error instanceof Error ? error.name : typeof error;
}

/** Whether the apiserver has changed under the pass or does not answer, so that there is nothing to tell and no way to. */
function isOfMoment(error: unknown): boolean {
  if (error instanceof KubeApiError) return [404, 409, 429].includes(error.status) || error.status >= 500;
  return error instanceof KubeUnreachableError || error instanceof WriteFencedError;
}
