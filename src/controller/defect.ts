import { internalError } from '../compute/errors.ts';
import { KubeApiError, KubeUnreachableError, WriteFencedError } from '../kube/client/kube-api-error.ts';
import { keyOf } from '../kube/client/kube-object.ts';
import type { Outcome, Pass } from './pass.ts';
import { graceMs } from './status/contact.ts';

/** A pass that fails by what no step may throw. */
export function defect(pass: Pass, error: unknown): Outcome {
  const { tenant, signal } = pass;
  if (signal.aborted || isOvertaken(error)) throw error;
  if (isUnanswered(error) && !hasLasted(pass)) throw error;
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

/** Whether the apiserver has changed under the pass, or this process is no longer the one to write. */
function isOvertaken(error: unknown): boolean {
  if (error instanceof KubeApiError) return error.status === 404 || error.status === 409;
  return error instanceof WriteFencedError;
}

/** Whether the apiserver has not answered the question: mostly for a moment, in which there is nothing to tell. */
function isUnanswered(error: unknown): boolean {
  if (error instanceof KubeApiError) return error.status === 429 || error.status >= 500;
  return error instanceof KubeUnreachableError;
}

/**
 * Whether no pass has had its answers for too long, as an engine's: one kind of object may be out of reach alone, such
 * as Secrets.
 */
function hasLasted(pass: Pass): boolean {
  const { deps, memory, tenant } = pass;
  pass.unanswered = true;
  const nowMs = deps.now().getTime();
  memory.unansweredSince ??= nowMs;
  const leftMs = memory.unansweredSince + graceMs - nowMs;
  if (leftMs > 0) deps.lookAgainWithin(keyOf(tenant), leftMs);
  return leftMs <= 0;
}
