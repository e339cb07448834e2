import { digestOf } from '../service/setting-marks.ts';

/** What Application Auto Scaling is to know of a service, or does, in a form of which both are the same text. */

export interface ScalingPolicy {
  /** `landlord-cpu`: by which it is known as one of ours. */
  readonly name: string;
  /** Predefined metric of it; one of ours that others gave another form has another one. */
  readonly metric: string;
  /** Percent, or requests a minute. */
  readonly target: number;
  /** Load balancer and target group: `app/NAME/ID/targetgroup/NAME/ID`. */
  readonly label?: string;
}

/** One that is asked for. */
export interface OwnPolicy extends ScalingPolicy {
  readonly metric: (typeof policyMetrics)[PolicyKind];
}

/** What is asked for. */
export interface OwnScaling extends Scaling {
  readonly policies: readonly OwnPolicy[];
}

export interface Scaling {
  readonly min: number;
  readonly max: number;
  /** By name. */
  readonly policies: readonly ScalingPolicy[];
}

export interface SeenScaling extends Scaling {
  /** Names of policies that are none of ours. */
  readonly foreign: readonly string[];
}

/** `none`: there is no scalable target. */
export type ShownScaling = SeenScaling | 'none';

/** What the names of our policies begin with. */
export const policyPrefix = 'landlord-';

/** Under the name of its kind, whose metric it has. */
export const policyMetrics = {
  cpu: 'ECSServiceAverageCPUUtilization',
  memory: 'ECSServiceAverageMemoryUtilization',
  requests: 'ALBRequestCountPerTarget',
} as const;
export type PolicyKind = keyof typeof policyMetrics;

export function isSamePolicy(one: ScalingPolicy, other: ScalingPolicy | undefined): boolean {
  return other !== undefined && policyText(one) === policyText(other);
}

export function isSameScaling(one: Scaling, other: Scaling): boolean {
  return scalingDigest(one) === scalingDigest(other);
}

export function isSameShown(one: ShownScaling, other: ShownScaling): boolean {
  if (one === 'none' || other === 'none') return one === other;
  return isSameScaling(one, other) && one.foreign.join('\n') === other.foreign.join('\n');
}

export function inBounds({ min, max }: Scaling, count: number): number {
  return Math.min(Math.max(count, min), max);
}

/** Four signs of a mark. What is seen has the one of what was asked for. */
export function scalingDigest({ min, max, policies }: Scaling): string {
  return digestOf([min, max, policies.map(policyText).toSorted()]);
}

/** `2 to 10 tasks by cpu 60, memory 70` */
export function scalingText(scaling: Scaling | 'none'): string {
  if (scaling === 'none') return 'none';
  const { min, max, policies } = scaling;
  const by = policies.map(({ name, target }) => `${name.slice(policyPrefix.length)} ${target}`).join(', ');
  return `${min} to ${max} tasks by ${by === '' ? 'nothing' : by}`;
}

function policyText({ name, metric, target, label }: ScalingPolicy): string {
  return JSON.stringify([name, metric, target, label ?? null]);
}

/** For PutScalingPolicy. Cooldowns are AWS' own: 300 s, each way. */
export function policyInput({ name, metric, target, label }: OwnPolicy) {
  return {
    PolicyName: name,
    PolicyType: 'TargetTrackingScaling' as const,
    TargetTrackingScalingPolicyConfiguration: {
      TargetValue: target,
      PredefinedMetricSpecification: {
        PredefinedMetricType: metric,
        ...(label === undefined ? {} : { ResourceLabel: label }),
      },
    },
  };
}
