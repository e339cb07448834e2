import type {
  PutScalingPolicyCommandInput,
  ScalableTarget,
  ScalingPolicy,
} from '@aws-sdk/client-application-auto-scaling';
import type { Consent } from '../../../../permit.ts';
import type { ServiceTarget } from '../../address/service-target.ts';
import type { Priority } from '../limits/token-queue.ts';

/** Application Auto Scaling as this provider uses it, of one service each. Calls and errors are as those of EcsApi. */
export interface ScalingReads {
  /** Its scalable target, and the policies on it: two calls. Undefined: there is none, by one call. */
  describeScaling(
    target: ServiceTarget,
    priority: Priority,
    signal: AbortSignal,
  ): Promise<{ readonly target: ScalableTarget; readonly policies: readonly ScalingPolicy[] } | undefined>;
}

/** Each is the same made twice. */
export interface ScalingApi extends ScalingReads {
  /** Makes it, or gives it these bounds. 'missing': Application Auto Scaling sees no such service (yet). */
  registerScalableTarget(
    target: ServiceTarget,
    bounds: { readonly min: number; readonly max: number },
    consent: Consent,
    signal: AbortSignal,
  ): Promise<'done' | 'missing'>;
  /** Makes or replaces the policy of that name. 'missing': the scalable target went away. */
  putScalingPolicy(
    target: ServiceTarget,
    policy: Omit<PutScalingPolicyCommandInput, 'ServiceNamespace' | 'ResourceId' | 'ScalableDimension'>,
    consent: Consent,
    signal: AbortSignal,
  ): Promise<'done' | 'missing'>;
  /** Gone counts as deleted. */
  deleteScalingPolicy(
    target: ServiceTarget,
    name: string,
    consent: Consent,
    signal: AbortSignal,
  ): Promise<void>;
  /** With all its policies and scheduled actions. Gone counts as deregistered. */
  deregisterScalableTarget(target: ServiceTarget, consent: Consent, signal: AbortSignal): Promise<void>;
}
