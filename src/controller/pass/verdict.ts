import type { ComputeError } from '../../compute/errors.ts';
import type { Reason } from '../../api/conditions.ts';

/** What a pass came to; the status' conditions follow from it alone. */
export type Verdict =
  | {
      readonly kind: 'ready';
      readonly message: string;
      /** A move's old place that is still to be emptied. */ readonly pending?: string;
    }
  | {
      readonly kind: 'progressing';
      readonly reason: Extract<Reason, 'Provisioning' | 'Updating' | 'Unhealthy'>;
      readonly message: string;
      /** Whether the operator itself is at work on it or will try again. */
      readonly underWay: boolean;
    }
  | { readonly kind: 'failed'; readonly error: ComputeError }
  | {
      readonly kind: 'rolledBack';
      readonly reason: Extract<Reason, 'RolledBack' | 'ImageUnavailable'>;
      readonly message: string;
    }
  | { readonly kind: 'suspended' }
  | { readonly kind: 'deleting'; readonly message: string; readonly error?: ComputeError };
