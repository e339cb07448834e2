import type { EcsConfig } from '../../config.ts';

/** How long a rollout may take until it is told that it has not come to its end. */

/**
 * What a Deployment of Kubernetes has where it names none (`progressDeadlineSeconds`), and how long `aws ecs wait
 * services-stable` waits: 40 looks, 15 seconds apart. In seconds.
 */
const usualSeconds = 600;

/** What ECS takes where a strategy names none of it: docs of CanaryConfiguration and LinearConfiguration. */
const canaryBakeMinutes = 10;
const linear = { stepPercent: 10, bakeMinutes: 6 };

type Timed = Pick<
  EcsConfig,
  'progress_deadline_seconds' | 'deployment' | 'health_check_grace_period_seconds'
>;

/**
 * In milliseconds since ECS began the rollout. What it is told to wait meanwhile is no want of progress: the time that the
 * old tasks stay, each step of the traffic, and how long a task may fail its checks.
 */
export function progressDeadlineMs(config: Timed): number {
  const { progress_deadline_seconds: seconds = usualSeconds } = config;
  const { health_check_grace_period_seconds: graceSeconds = 0 } = config;
  return (seconds + graceSeconds + 60 * bakeMinutes(config)) * 1_000;
}

function bakeMinutes({ deployment = {} }: Timed): number {
  const { strategy, bake_time_in_minutes: last = 0 } = deployment;
  if (strategy === 'CANARY') {
    const { canary_bake_time_in_minutes: first = canaryBakeMinutes } = deployment.canary_configuration ?? {};
    return first + last;
  }
  if (strategy === 'LINEAR') {
    const {
      step_percent: percent = linear.stepPercent,
      step_bake_time_in_minutes: each = linear.bakeMinutes,
    } = deployment.linear_configuration ?? {};
    return Math.ceil(100 / percent) * each + last;
  }
  return last;
}
