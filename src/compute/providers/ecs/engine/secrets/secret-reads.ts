import type { EcsScope } from '../../address/service-target.ts';
import type { Priority } from '../limits/token-queue.ts';

/** Secrets Manager and SSM as this provider uses them: which version a secret has, and never what it holds. */
export interface SecretReads {
  /**
   * The version that each reference (`valueFrom` of a container) leads to now, by reference. Left out: those that name a
   * version for good, and those of a secret that is not there. One call for each secret of Secrets Manager, and one for 50
   * parameters of a region. Rejects with ComputeError: AccessDenied naming the refused action, Throttled, ProviderUnavailable.
   */
  secretVersions(
    scope: EcsScope,
    references: readonly string[],
    priority: Priority,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>>;
}
