import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import type { Permit } from '../../../permit.ts';
import type { StepResult } from '../../../provider.ts';
import type { DesiredService } from '../state/desired.ts';
import type { EcsApi } from '../engine/ecs-api.ts';
import type { ServiceTarget } from '../address/service-target.ts';
import type { ListenerRoutes } from '../watch/listener-routes.ts';
import type { OwnGroups } from '../watch/own-groups.ts';

/** A step towards a desired state, what it is taken with, and how it ends where nothing can be done for now. */

export interface Attempt {
  readonly desired: DesiredService;
  /** Only keep running what was there before: its task definition is not touched. */
  readonly hold: boolean;
  readonly permit: Permit;
  /** What a refusal of ECS is called. */
  readonly failure: 'ProvisionFailed' | 'UpdateFailed';
}

export interface ServiceDeps {
  readonly api: EcsApi;
  readonly ownership: Ownership;
  readonly groups: ConvergedGroups;
  /** Called before the service is asked for: from then on MISSING may mean "not visible yet". */
  readonly noteCreate: (target: ServiceTarget) => void;
  /** Called with a family that got a new revision: older ones of it may be unused. */
  readonly noteRevision: (desired: DesiredService, permit: Permit) => void;
}

/** What is known of target groups that are made for services. */
export type ConvergedGroups = Pick<OwnGroups, 'mayBeAt' | 'noteMade' | 'noteGone'> &
  Pick<ListenerRoutes, 'seen' | 'changed'>;

/** ECS shows a new service after a second or two, in milliseconds. */
export const visibleMs = 2_000;
/** How often a service that drains is looked at, in milliseconds. */
export const drainLookMs = 3_000;

export function draining({ service }: ServiceTarget): StepResult {
  return {
    outcome: 'in_progress',
    message: `Waiting for the old service ${service} to drain: ECS does not give its name away before`,
    lookAgainAfterMs: drainLookMs,
  };
}

export function noCluster({ desired, failure }: Attempt): ComputeError {
  return new ComputeError(failure, `there is no ECS cluster ${desired.target.cluster}`);
}
