import type { DesiredContainer } from '../desired-tenant.ts';
import type { ObservedContainer } from '../observed-container.ts';
import type { Repair } from './repair.ts';

/** What a comparison of desired and observed tells; diff.ts makes it. */

export interface ContainerComparison {
  readonly desired: DesiredContainer;
  /** The one that bears the serving name. */
  readonly current: ObservedContainer | undefined;
  /** Its successor, or the half-made rest of one. */
  readonly next: ObservedContainer | undefined;
  /** Whether they come from this desired state and so need no replacement. */
  readonly currentMatches: boolean;
  readonly nextMatches: boolean;
  /** What would bring `current` back, where it matches. */
  readonly repair: Repair;
  /** Whether limits or restart policy of a matching `current` must be updated. */
  readonly liveDiffers: boolean;
  /** The sibling whose network namespace it is in was started anew without it. */
  readonly isCutOff?: true;
}

export interface TenantComparison {
  /** Without jobs that are done and gone: there is nothing to be done about them. */
  readonly containers: readonly ContainerComparison[];
  /** Of this tenant, and no longer in its spec. */
  readonly obsolete: readonly ObservedContainer[];
}
