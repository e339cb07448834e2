import { policyPrefix } from './scaling.ts';
import type { ScalingPolicy, ShownScaling } from './scaling.ts';

/** What Application Auto Scaling answers, in the words of its API: the SDK's types fit these. */

export interface ScalableTarget {
  readonly MinCapacity: number | undefined;
  readonly MaxCapacity: number | undefined;
}

export interface AnsweredPolicy {
  readonly PolicyName: string | undefined;
  readonly TargetTrackingScalingPolicyConfiguration?:
    | {
        readonly TargetValue: number | undefined;
        readonly PredefinedMetricSpecification?:
          | {
              readonly PredefinedMetricType: string | undefined;
              readonly ResourceLabel?: string | undefined;
            }
          | undefined;
        readonly DisableScaleIn?: boolean | undefined;
      }
    | undefined;
}

export interface ScalingAnswer {
  readonly target: ScalableTarget;
  readonly policies: readonly AnsweredPolicy[];
}

/** What nobody asked for, as cooldowns and suspended processes, is not read. */
export function seenScaling(answer: ScalingAnswer | undefined): ShownScaling {
  if (answer === undefined) return 'none';
  const { MinCapacity: min = 0, MaxCapacity: max = 0 } = answer.target;
  const named = answer.policies
    .map((policy) => ({ ...policy, name: policy.PolicyName ?? '' }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return {
    min,
    max,
    policies: named.filter(({ name }) => isOurs(name)).map(ownPolicy),
    foreign: named.flatMap(({ name }) => (isOurs(name) ? [] : [name])),
  };
}

function isOurs(name: string): boolean {
  return name.startsWith(policyPrefix);
}

/** A policy that tracks no target, or never scales in, is none that was asked for. */
function ownPolicy({
  name,
  TargetTrackingScalingPolicyConfiguration: tracking,
}: AnsweredPolicy & { readonly name: string }): ScalingPolicy {
  const { PredefinedMetricType: metric = 'other', ResourceLabel: label } =
    tracking?.PredefinedMetricSpecification ?? {};
  return {
    name,
    metric: tracking?.DisableScaleIn === true ? `${metric}, out alone` : metric,
    target: tracking?.TargetValue ?? 0,
    ...(label === undefined ? {} : { label }),
  };
}
